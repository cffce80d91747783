import ArgumentParser
import Definitions
import Events
import Jobs
import MongoStore
import Projector
import RedisAddress
import RedisBuffer
import Values

struct EraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Erases a key's personal data: its events, dead letters and documents.",
        discussion: """
            Of the key's elements in the log nothing stays but their offsets, so that every total still agrees; the key's documents go from every \
            build, and its dead letters with them. It works beside a running drain; what of the key is still waiting in Redis comes after, and repeating \
            it changes nothing more. Not reached: archives that were exported before, backups, and elements that were refused before their key was \
            known. Exits 75 when somebody else erases from the stream.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The stream.")
    var stream: String

    @Argument(help: "The key.")
    var key: String

    func run() async throws {
        let sums = try await Ending.of { () async throws -> Document in
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            guard let settings = configuration.stream(stream) else { throw Refusal(.unknownName, "there is no stream \(stream)") }
            let reader = try await Reader(configuration, connections: 2)
            let leases = MongoLeases(connection: try reader.connection("leases"), database: configuration.mongodb.database)
            let owner = Owner.make()
            let work = SoleWork(
                .work("erase", on: stream), what: "an erasure from \(stream)", leases: leases, holder: LeaseHolder(id: owner, sessions: []),
                duration: configuration.lease)
            return try await interruptible { try await work.run { _ in try await erase(reader, settings, owner) } }
        }
        if options.json {
            Output.line(JSON.write(.document(sums)))
        } else {
            func count(_ name: String) -> String { Output.count(sums[name]?.asInteger ?? 0) }
            Output.line("erased \(count("elements")) elements of the log, \(count("letters")) dead letters, \(count("documents")) documents")
        }
    }

    /// The receipt says how much it was, and not whose.
    private func erase(_ reader: Reader, _ settings: StreamSettings, _ owner: String) async throws -> Document {
        let started = ContinuousClock.now
        do {
            let partitions = reader.partitions(of: settings)
            let own = partitions[Partitioning.partition(of: key.utf8, count: settings.partitions)]
            let oversize = try await eraseOversize(reader, settings, partitions)
            // Whatever else is made of documents is to be named here.
            let traces: [any KeyTrace] = [SnapshotErasure(reader.snapshots, logger: options.logger), reader.drift]
            let erasure = KeyErasure(
                log: reader.log, store: reader.store, leases: reader.leases, holder: owner, traces: traces, logger: options.logger)
            var outcome = try await erasure.erase(key, of: own, beside: partitions.filter { $0 != own })
            outcome.log += oversize
            let sums: Document = [
                "elements": .int64(outcome.log.elements), "events": .int64(outcome.log.events), "duplicates": .int64(outcome.log.duplicates),
                "refused": .int64(outcome.log.refused), "chunks": .int64(outcome.log.chunks), "letters": .int64(outcome.letters),
                "documents": .int64(outcome.documents), "builds": .int64(outcome.builds),
            ]
            try await reader.runs.record(RunRecord("erase", .erase, owner: owner, started: started, RunOutcome(sums: sums)))
            return sums
        } catch {
            try? await reader.runs.record(RunRecord("erase", .erase, owner: owner, started: started, RunOutcome(failure: error)))
            throw error
        }
    }

    /// Elements above `maxEventBytes`, of which the log has a head and Redis the whole. The heads go first: it is by the
    /// elements that they are found.
    private func eraseOversize(_ reader: Reader, _ settings: StreamSettings, _ partitions: [PartitionID]) async throws -> ErasedElements {
        var erased = ErasedElements()
        let url = try RedisURL(reader.configuration.redis.url)
        for partition in partitions {
            let buffer = RedisBuffer(url: url, list: settings.list(of: partition.number), installation: "", maxEventBytes: settings.maxEventBytes)
            let elements = try await buffer.oversize { [key] in settings.key(of: $0)?.utf8Equal(key) ?? false }
            guard !elements.isEmpty else { continue }
            erased += try await reader.log.eraseOversize(Set(elements.map { Digest(of: $0).hex }), in: partition)
            CrashPoint.headsErased.reached()
            try await buffer.removeOversize(elements)
        }
        return erased
    }
}
