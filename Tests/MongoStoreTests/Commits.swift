import Events
import Models
import MongoStore
import Projector
import Testing
import Values

/// What the tests of transactions commit: documents of one build in one partition.
enum Commits {
    static let build = BuildID(model: "product", number: 1)
    static let partition = PartitionID(stream: "product", number: 0)

    /// A document of a few fields at an offset.
    static func document(_ key: String, offset: Int64 = 0, _ fields: Document = ["stock": 1]) -> StoredDocument {
        StoredDocument(key: key, position: DocumentPosition(partition: 0, offset: offset, time: 1_700_000_000_000), fields: fields)
    }

    static func insert(_ key: String, offset: Int64 = 0, _ fields: Document = ["stock": 1]) -> DocumentWrite {
        .insert(key: key, bson: document(key, offset: offset, fields).bson)
    }

    static func letter(_ offset: Int64, build: BuildID? = build, _ message: String = "too many") -> DeadLetter {
        DeadLetter(
            build: build, partition: partition, offset: offset, refusal: Refusal(.badOperand, message), key: build == nil ? nil : "p-1",
            type: build == nil ? nil : "stockAdjusted", at: 1_700_000_000_000)
    }

    /// Moves the checkpoint by `events` and applies them.
    static func commit(_ from: Checkpoint, events: Int64 = 1, _ writes: [DocumentWrite], _ letters: [DeadLetter] = []) -> Commit {
        var to = from
        to.offset += events
        to.totals.logged += events
        to.totals.applied += events
        return Commit(from: from, to: to, writes: writes, deadLetters: letters)
    }
}

extension MongoProjectionStore {
    func checkpoint(_ build: BuildID = Commits.build) async throws -> Checkpoint {
        try #require(await checkpoint(of: build, Commits.partition))
    }

    /// The stored documents of the build that the tests commit to, by key.
    func stored(_ keys: [String], _ build: BuildID = Commits.build) async throws -> [String: [UInt8]] {
        Dictionary(try await documents(of: build, keys: keys).map { ($0.key, $0.bson) }, uniquingKeysWith: { $1 })
    }
}

extension TestMongo {
    /// Everything that a commit writes: to find out whether any of it is there.
    func everything() async throws -> [Document] {
        try await documents("millrace.checkpoints") + documents("millrace.dead_letters") + documents(Commits.build.description)
    }
}
