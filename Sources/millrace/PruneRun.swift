import Definitions
import Events
import Jobs
import MongoStore
import Projector
import Values

/// A prune of some streams' logs, one after the other, with a receipt. The small chunks of what stays are merged.
struct PruneRun: Sendable {
    private let reader: Reader
    private let streams: [StreamSettings]
    private let isFromSource: Bool
    private let leases: MongoLeases
    private let owner = Owner.make()

    /// Beside the reader's own: the leases'.
    static let connections = 2

    /// - Parameters:
    ///   - streams: all when none is named.
    ///   - isFromSource: for the receipt: what made up for the log when it went.
    init(_ reader: Reader, streams: [String], isFromSource: Bool) throws {
        self.reader = reader
        self.streams = reader.configuration.streams.filter { streams.isEmpty || streams.contains($0.name) }
        self.isFromSource = isFromSource
        leases = MongoLeases(connection: try reader.connection("leases"), database: reader.configuration.mongodb.database)
    }

    /// Prunes the streams, and leaves a receipt.
    func run(before time: Int64?) async throws -> [LogPrune.Outcome] {
        let started = ContinuousClock.now
        do {
            let results = try await results(before: time)
            try await record(started, outcome(of: results))
            return results
        } catch {
            // What ended it is said, whether that can be recorded or not.
            try? await record(started, RunOutcome(failure: error))
            throw error
        }
    }

    /// Prunes the streams.
    ///
    /// - Parameters:
    ///   - time: what was logged before it goes: milliseconds since 1970. nil for what each stream's own setting says, by
    ///     which nothing goes of one that keeps its log for ever.
    ///   - dryRun: finds out what would go, and changes nothing.
    func results(before time: Int64? = nil, dryRun: Bool = false) async throws -> [LogPrune.Outcome] {
        var outcomes: [LogPrune.Outcome] = []
        for stream in streams {
            let work = SoleWork(
                .work("prune", on: stream.name), what: "a prune of \(stream.name)", leases: leases, holder: LeaseHolder(id: owner, sessions: []),
                duration: reader.configuration.lease)
            outcomes += try await work.run { _ in try await prune(stream, before: time, dryRun: dryRun) }
        }
        return outcomes
    }

    private func prune(_ stream: StreamSettings, before time: Int64?, dryRun: Bool) async throws -> [LogPrune.Outcome] {
        let prune = LogPrune(reader.log) { try await reader.needs(of: $0) }
        var outcomes: [LogPrune.Outcome] = []
        for partition in reader.partitions(of: stream) {
            var wanted: Int64 = 0
            if time != nil || stream.retain != nil {
                let now = try await reader.readings.tail(of: partition).now
                let limit = time ?? now - (stream.retain.map { Int64($0 / .milliseconds(1)) } ?? now)
                wanted = try await reader.readings.offset(at: limit, of: partition)
            }
            var outcome = try await prune.run(partition, below: wanted, settings: stream, dryRun: dryRun)
            if !dryRun { outcome.merged = try await LogMerge(reader.log).run(partition, settings: stream) }
            outcomes.append(outcome)
        }
        return outcomes
    }

    private func record(_ started: ContinuousClock.Instant, _ outcome: RunOutcome) async throws {
        try await reader.runs.record(RunRecord("prune", .prune, owner: owner, started: started, outcome))
    }

    /// What a receipt says of it.
    func outcome(of outcomes: [LogPrune.Outcome]) -> RunOutcome {
        RunOutcome(sums: [
            "chunks": .int64(outcomes.reduce(0) { $0 + $1.chunks }), "merged": .int64(outcomes.reduce(0) { $0 + $1.merged }),
            "elements": .int64(outcomes.reduce(0) { $0 + $1.elements }),
            "partitions": .array(outcomes.map { .document($0.document) }), "fromSource": .bool(isFromSource),
        ])
    }
}

extension LogPrune.Outcome {
    var document: Document {
        [
            "partition": .string(partition.description), "before": .int64(before), "start": .int64(start), "chunks": .int64(chunks),
            "elements": .int64(elements), "merged": .int64(merged), "heldBackBy": heldBack.map(Value.string) ?? .null,
        ]
    }
}
