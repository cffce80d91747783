import Events
import Projector
import Values

extension MongoProjectionStore: SwitchStore {
    public func replace(_ pointer: ModelPointer, with changed: ModelPointer) async throws -> Bool {
        try await connection.replace(database, pointer, with: changed)
    }

    public func freeze(_ build: BuildID, _ partitions: [PartitionID], under id: String) async throws {
        try await connection.freeze(database, build, partitions, id)
    }

    public func view(of model: String) async throws -> BuildID? { try await connection.viewedBuild(database, of: model) }

    public func pointView(at build: StoredBuild) async throws -> Bool { try await connection.pointView(database, at: build) }

    public func remove(_ build: BuildID) async throws { try await connection.remove(database, build) }

    public func clock() async throws -> Int64 { try await connection.clock() }
}

extension MongoConnection {
    fileprivate func freeze(_ database: String, _ build: BuildID, _ partitions: [PartitionID], _ id: String) throws {
        let updates = partitions.map { partition -> Value in
            ["q": ["_id": CheckpointDocument.id(build, partition)], "u": ["$set": ["frozen": .string(id)]]]
        }
        let reply = try run(
            database, BSON.encode(["update": .string(Collections.checkpoints), "updates": .array(updates)]), .write, "freeze the checkpoints of \(build)")
        try Self.check(reply, "freeze the checkpoints of \(build)")
    }

    func thaw(_ database: String, _ checkpoint: Checkpoint) throws -> Bool {
        guard let frozen = checkpoint.frozen else { return true }
        let command: Document = [
            "update": .string(Collections.checkpoints),
            "updates": [
                [
                    "q": ["_id": CheckpointDocument.id(checkpoint.build, checkpoint.partition), "frozen": ["$in": [.string(frozen), .null]]],
                    "u": ["$set": ["frozen": .null]],
                ]
            ],
        ]
        let reply = try run(database, BSON.encode(command), .write, "thaw a checkpoint")
        try Self.check(reply, "thaw a checkpoint")
        return reply["n"]?.asInteger == 1
    }

    /// The pointer document marks the build: nobody makes another checkpoint of it.
    fileprivate func remove(_ database: String, _ build: BuildID) throws {
        try deleteAll(database, Collections.checkpoints, ["_id.b": .string(build.description)], "remove the checkpoints of \(build)")
        CrashPoint.checkpointsRemoved.reached()
        try drop(database, build)
        CrashPoint.collectionDropped.reached()
        // What was decided about an event holds for every build of the model, and stays.
        try deleteAll(
            database, Collections.deadLetters, ["_id.b": .string(build.description), "decision": .null], "remove the dead letters of \(build)")
        try deleteAll(database, Collections.unknownTypes, UnknownTypeDocument.all(of: build), "remove the unknown types of \(build)")
        // Nobody finds blocks whose head is gone, and the next snapshot removes them.
        try deleteAll(
            database, Collections.snapshots, ["_id.b": .string(build.description), "loaded": true], "remove what \(build) was loaded with")
    }

    private func deleteAll(_ database: String, _ collection: String, _ filter: Document, _ operation: String) throws(MongoError) {
        let command: Document = ["delete": .string(collection), "deletes": [["q": .document(filter), "limit": 0]]]
        try Self.check(try run(database, BSON.encode(command), .write, operation), operation)
    }

    private func drop(_ database: String, _ build: BuildID) throws(MongoError) {
        do throws(MongoError) {
            try run(database, BSON.encode(["drop": .string(build.description)]), .write, "drop \(build)")
        } catch {
            // There is none any more.
            guard error.serverCode == 26 else { throw error }
        }
    }
}
