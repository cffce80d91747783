import Definitions
import Events
import Models
import MongoStore
import Projector
import Reads
import Values

/// What documents of live builds were, by the log, for the command line and the read API.
struct PastReading {
    let reader: Reader
    /// Of what is read for it; nil for as long as it takes.
    var deadline: ContinuousClock.Instant?

    /// The document as the log makes it then, also where it had expired, and when that was.
    func document(of id: String, in build: StoredBuild, at moment: PastMoment) async throws -> (document: Document, time: Int64)? {
        let (definition, partition) = try place(of: id, in: build)
        let (offset, time) = try await end(moment, of: id, partition)
        let checkpoint = try await reader.checkpoint(of: build.id, partition)
        guard offset <= checkpoint.offset else {
            throw Refusal(
                .notCaughtUp, "\(build.id.model) has taken \(partition) into effect up to offset \(checkpoint.offset), and this is behind it: try again")
        }
        let past = PastDocuments(definition, partition, snapshots: reader.snapshots, log: log)
        return try await past.document(of: id, below: offset).document.flatMap { (try Document(bson: $0.bson), time) }
    }

    /// The events of a key behind a position that have taken effect, one by one, until `body` says false. Whether these were all.
    func steps(of id: String, in build: StoredBuild, after position: Position?, _ body: (Explanation.Step) throws -> Bool) async throws -> Bool {
        let (definition, partition) = try place(of: id, in: build)
        if let position { try check(position, of: id, partition) }
        let checkpoint = try await reader.checkpoint(of: build.id, partition)
        let decisions = try await reader.store.decisions(on: build.id, partition, from: 0, keys: [id])
        var explanation = Explanation(of: id, build: build.id, fold: definition.fold, decisions: decisions)
        if let start = try await reader.store.beginning(of: [ExactString(id)], in: build.id, partition) {
            explanation.begin(with: start.rows, at: start.offset)
        }
        var end: Result<Bool, any Error> = .success(true)
        try await explanation.read(log, partition, below: checkpoint.offset) { step in
            if let deadline, .now >= deadline { end = .failure(ReadFailure.late) }
            if case .success = end, step.source.offset > position?.offset ?? -1 { end = Result { try body(step) } }
            if case .success(true) = end { return true }
            return false
        }
        return try end.get()
    }

    func position(of offset: Int64, _ id: String, in build: StoredBuild) throws -> Position {
        Position(incarnation: reader.installation?.incarnation ?? "", partition: try place(of: id, in: build).partition, offset: offset)
    }

    private var log: any LoggedChunks { deadline.map { TimedChunks(log: reader.log, deadline: $0) } ?? reader.log }

    private func place(of id: String, in build: StoredBuild) throws -> (definition: FoldDefinition, partition: PartitionID) {
        let (definition, partitions) = try reader.definition(of: build)
        return (definition, partitions[Partitioning.partition(of: id.utf8, count: partitions.count)])
    }

    /// The offset that what is asked for ends before, and the time of logging by which documents have expired or not.
    private func end(_ moment: PastMoment, of id: String, _ partition: PartitionID) async throws -> (offset: Int64, time: Int64) {
        switch moment {
        case .position(let position):
            try check(position, of: id, partition)
            let tail = try await reader.readings.tail(of: partition).offset
            guard position.offset < tail, let logged = try await reader.readings.logged(at: position.offset, of: partition) else {
                throw Refusal(.badInput, "\(position) is behind the log's end, \(tail)")
            }
            return (position.offset + 1, logged)
        case .time(let time):
            guard time <= (try await reader.log.clock()) else { throw Refusal(.badInput, "\(DateTime.format(milliseconds: time)) is still to come") }
            return (try await reader.readings.offset(at: time + 1, of: partition), time)
        }
    }

    private func check(_ position: Position, of id: String, _ partition: PartitionID) throws {
        guard position.partition.stream == partition.stream else {
            throw Refusal(.badInput, "\(position) is not a position of \(partition.stream): take one that millrace events printed")
        }
        let incarnation = reader.installation?.incarnation ?? ""
        guard position.incarnation == incarnation else {
            throw Refusal(.badInput, "\(position) is a position in another log: this one is \(incarnation)")
        }
        guard position.partition == partition else {
            throw Refusal(.badInput, "\(position) is in another partition than \(id), which is in \(partition)")
        }
    }
}

/// The log, until a deadline.
private struct TimedChunks: LoggedChunks {
    let log: any LoggedChunks
    let deadline: ContinuousClock.Instant

    func chunks(of partition: PartitionID, from offset: Int64, events: Int) async throws -> [Chunk] {
        guard .now < deadline else { throw ReadFailure.late }
        return try await log.chunks(of: partition, from: offset, events: events)
    }

    func chunks(of partition: PartitionID, withKeys keys: [String], _ offsets: Range<Int64>) async throws -> [Chunk] {
        guard .now < deadline else { throw ReadFailure.late }
        return try await log.chunks(of: partition, withKeys: keys, offsets)
    }
}
