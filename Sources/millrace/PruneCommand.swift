import ArgumentParser
import Definitions
import Events
import Jobs
import MongoStore
import Projector
import Values

struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Removes the oldest events of the log.",
        discussion: """
            What is removed is gone: a model cannot be built anew from the log, nor the history of a key be told. So it needs --from-source (every \
            model of the stream can be loaded from elsewhere) or --accept-no-rebuild. Events go that were logged before --before, or earlier than the \
            stream's log.retain says (default: forever, so that nothing goes). What a checkpoint of any build, a follower by name or the dedupe window \
            needs stays, and so does the last chunk. Exits 2 when it declines, 75 when somebody else prunes the stream.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Streams; all when none is named.")
    var streams: [String] = []

    @Option(help: "Remove what was logged before this time, such as 2026-11-20T10:00:00Z.")
    var before: String?

    @Flag(help: "Every model can be built anew from a source of truth.")
    var fromSource = false

    @Flag(help: "No model needs to be built anew from the log.")
    var acceptNoRebuild = false

    @Flag(help: "Say what would go, and change nothing.")
    var dryRun = false

    func run() async throws {
        let outcomes = try await Ending.of { () async throws -> [LogPrune.Outcome] in
            let time = try DateTime.argument(before, "--before")
            let configuration = try options.load()
            try configuration.require(streams: streams)
            let reader = try await Reader(configuration, connections: 2)
            guard fromSource || acceptNoRebuild || dryRun else {
                Ending.complain(
                    "declined: models cannot be built anew from what is removed; say --from-source where they can be from elsewhere, else --accept-no-rebuild")
                throw Ending.declined
            }
            let leases = MongoLeases(connection: try reader.connection("leases"), database: configuration.mongodb.database)
            let owner = Owner.make()
            return try await interruptible {
                var outcomes: [LogPrune.Outcome] = []
                for stream in configuration.streams where streams.isEmpty || streams.contains(stream.name) {
                    let work = SoleWork(
                        .work("prune", on: stream.name), what: "a prune of \(stream.name)", leases: leases, holder: LeaseHolder(id: owner, sessions: []),
                        duration: configuration.lease)
                    outcomes += try await work.run { _ in try await prune(stream, before: time, reader, owner) }
                }
                return outcomes
            }
        }
        if options.json {
            Output.line(JSON.write(["dryRun": .bool(dryRun), "partitions": .array(outcomes.map { .document($0.document) })]))
        } else if outcomes.isEmpty {
            Output.line("nothing is to be pruned: the streams keep their log for ever (log: { retain: … }), and --before says no other time")
        } else {
            Output.table(["partition", "began at", dryRun ? "would begin at" : "begins at", "chunks", "elements", "held back by"], outcomes.map(\.row))
        }
    }

    private func prune(_ stream: StreamSettings, before time: Int64?, _ reader: Reader, _ owner: String) async throws -> [LogPrune.Outcome] {
        guard time != nil || stream.retain != nil else { return [] }
        let started = ContinuousClock.now
        let prune = LogPrune(reader.log) { try await reader.needs(of: $0) }
        var outcomes: [LogPrune.Outcome] = []
        do {
            for partition in reader.partitions(of: stream) {
                let now = try await reader.readings.tail(of: partition).now
                let limit = time ?? now - (stream.retain.map { Int64($0 / .milliseconds(1)) } ?? now)
                let wanted = try await reader.readings.offset(at: limit, of: partition)
                outcomes.append(try await prune.run(partition, below: wanted, settings: stream, dryRun: dryRun))
            }
        } catch {
            if !dryRun { try? await reader.runs.record(RunRecord("prune", .prune, owner: owner, started: started, RunOutcome(failure: error))) }
            throw error
        }
        guard !dryRun else { return outcomes }
        let sums: Document = [
            "chunks": .int64(outcomes.reduce(0) { $0 + $1.chunks }), "elements": .int64(outcomes.reduce(0) { $0 + $1.elements }),
            "partitions": .array(outcomes.map { .document($0.document) }), "fromSource": .bool(fromSource),
        ]
        try await reader.runs.record(RunRecord("prune", .prune, owner: owner, started: started, RunOutcome(sums: sums)))
        return outcomes
    }
}

extension Reader {
    /// Who needs a partition's log, and from where on.
    fileprivate func needs(of partition: PartitionID) async throws -> [PruneBound.Need] {
        let checkpoints = try await readings.checkpoints(of: partition)
        // A build that is there, and has taken nothing yet.
        let builds = try await catalog.pointers().values.flatMap(\.builds).map(\.build).filter { $0.stream == partition.stream }.map(\.id)
        let untouched = builds.filter { build in !checkpoints.contains { $0.build == build } }
        let followers = try await followers.progress(of: partition.stream).filter { $0.partition == partition }
        return checkpoints.map { .init($0.offset, "the checkpoint of \($0.build)") } + untouched.map { .init(0, "\($0), which has taken nothing yet") }
            + followers.map { .init($0.acknowledged, "who follows as \($0.name)") } + (try await snapshotNeeds(of: partition))
    }

    /// Where a reconcile, the next snapshot and `get --at` begin: without that, nobody could say any more whether the documents
    /// are right.
    private func snapshotNeeds(of partition: PartitionID) async throws -> [PruneBound.Need] {
        var needs: [PruneBound.Need] = []
        let known = try await snapshots.snapshots(of: partition)
        for build in builds.values where build.stream == partition.stream && build.isFoldable {
            let decisions = try await snapshots.decisions(on: build.id.model, partition)
            if let newest = try definition(of: build).definition.nearest(of: known, to: .max, decisions) {
                needs.append(.init(newest.id.offset, "the newest snapshot of \(build.id.model)"))
            } else {
                needs.append(.init(0, "\(build.id.model), which has no snapshot: millrace snapshot makes one"))
            }
        }
        return needs
    }
}

extension LogPrune.Outcome {
    fileprivate var document: Document {
        [
            "partition": .string(partition.description), "before": .int64(before), "start": .int64(start), "chunks": .int64(chunks),
            "elements": .int64(elements), "heldBackBy": heldBack.map(Value.string) ?? .null,
        ]
    }

    fileprivate var row: [String] {
        ["\(partition)", Output.count(before), Output.count(start), Output.count(chunks), Output.count(elements), heldBack ?? ""]
    }
}
