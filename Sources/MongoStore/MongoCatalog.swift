import Events
import Models
import Projector
import Values

/// The installation: its identity, its streams and the builds of its models.
public struct MongoCatalog: Sendable {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    /// The installation id and the log's incarnation.
    public struct Installation: Hashable, Sendable {
        public var id: String
        public var incarnation: String
    }

    /// Makes collections and indexes where they are missing, and reads or makes the installation's identity.
    public func open() async throws -> Installation { try await connection.open(database) }

    /// The installation's identity, or nil where there is none yet. Writes nothing.
    public func installation() async throws -> Installation? { try await connection.installation(database) }

    /// Throws a `Refusal` for a stream that was made with another number of partitions. Writes nothing.
    public func inspect(_ stream: StreamSettings) async throws { try await connection.inspect(database, stream) }

    /// Compares the stream's number of partitions with what it was made with.
    public func register(_ stream: StreamSettings) async throws { try await connection.register(database, stream) }

    /// The model's pointer document; makes it, its first build, its collection and its view where there is none. What of an
    /// edited definition needs no rebuild is what the live build has from then on.
    public func register(_ model: Model) async throws -> ModelPointer { try await connection.register(database, model) }

    /// The pointer document of a model.
    public func pointer(to model: String) async throws -> ModelPointer? { try await connection.pointer(database, to: model) }

    /// The pointer documents of all models that are or were defined, by model.
    public func pointers() async throws -> [String: ModelPointer] { try await connection.pointers(database) }
}

extension MongoConnection {
    fileprivate func installation(_ database: String) throws -> MongoCatalog.Installation? {
        guard let stored = try document(database, Collections.meta, ["_id": "installation"], "read the installation") else { return nil }
        try StoredFormat.check(stored, "the installation")
        guard let id = stored["installation"]?.asString, let incarnation = stored["incarnation"]?.asString else {
            throw Refusal(.logDamaged, "the installation's identity lacks a field: restore the document {_id: \"installation\"} of millrace.meta")
        }
        return MongoCatalog.Installation(id: id, incarnation: incarnation)
    }

    private func createIndexes(_ database: String) throws {
        for command in Self.ownIndexes { try run(database, BSON.encode(command), .write, "create indexes") }
        // Younger than the others: an installation may lack them.
        for name in [Collections.unknownTypes, Collections.drift, Collections.jobs, Collections.runners] { try create(database, ["create": .string(name)]) }
    }

    fileprivate func open(_ database: String) throws -> MongoCatalog.Installation {
        if let known = try installation(database) {
            try createIndexes(database)
            return known
        }
        for name in [
            Collections.meta, Collections.log, Collections.checkpoints, Collections.leases, Collections.definitions, Collections.deadLetters,
            Collections.runs, Collections.snapshots,
        ] {
            try create(database, ["create": .string(name)])
        }
        try createIndexes(database)
        try insertUnlessThere(
            database, Collections.meta, id: "installation",
            [
                "format": .int32(StoredFormat.current), "installation": .string(RandomUUID.text()),
                "incarnation": .string(String(RandomUUID.text().prefix(8))),
            ]
        )
        guard let made = try installation(database) else {
            throw MongoError(code: 0, operation: "make the installation", message: "it cannot be read after it was made")
        }
        return made
    }

    fileprivate func register(_ database: String, _ stream: StreamSettings) throws {
        let fields: Document = ["format": .int32(StoredFormat.current), "partitions": .int32(Int32(stream.partitions))]
        try insertUnlessThere(database, Collections.meta, id: .string("stream:\(stream.name)"), fields)
        try inspect(database, stream)
    }

    fileprivate func inspect(_ database: String, _ stream: StreamSettings) throws {
        guard let stored = try document(database, Collections.meta, ["_id": .string("stream:\(stream.name)")], "read a stream") else { return }
        try StoredFormat.check(stored, "the stream \(stream.name)")
        let partitions = stored["partitions"]?.asInteger ?? 0
        guard partitions == Int64(stream.partitions) else {
            throw Refusal(
                .partitionsChanged,
                "the stream \(stream.name) was made with \(partitions) partitions, and the configuration says \(stream.partitions): keys would move to "
                    + "partitions that never saw them; set it back to \(partitions)"
            )
        }
    }

    /// Creates a collection or view; one that is there is left as it is.
    func create(_ database: String, _ command: Document) throws(MongoError) {
        do throws(MongoError) {
            try run(database, BSON.encode(command), .write, "create a collection")
        } catch {
            guard error.serverCode == 48 else { throw error }
        }
    }
}
