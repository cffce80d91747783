import Events
import Foundation
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

    /// The model's live build; makes the first one, its collection and its view where there is none. What of an edited
    /// definition needs no rebuild is what the build has from then on.
    public func register(_ model: Model) async throws -> StoredBuild { try await connection.register(database, model) }

    /// Every build of a model that is kept, the live one among them.
    public func builds(of model: String) async throws -> [BuildID] { try await connection.builds(database, of: model) }

    /// The live builds of all models that are or were defined, by model.
    public func liveBuilds() async throws -> [String: StoredBuild] { try await connection.liveBuilds(database) }
}

/// A build with the whole definition it is folded under.
public struct StoredBuild: Hashable, Sendable {
    public var id: BuildID
    public var stream: String
    public var source: String
    /// What the stream said of the versions of its events, as JSON; nil for nothing.
    public var versions: String?
    public var foldHash: String
    public var foldVersion: Int32
    /// Whether its documents expire.
    public var expires = false

    /// Whether this binary carries the fold that made the build.
    public var isFoldable: Bool { foldVersion == Models.foldVersion }
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
        // Younger than the others: an installation may lack it.
        try create(database, ["create": .string(Collections.unknownTypes)])
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
                "format": .int32(StoredFormat.current), "installation": .string(UUID().uuidString.lowercased()),
                "incarnation": .string(UUID().uuidString.lowercased().prefix(8).description),
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

    fileprivate func register(_ database: String, _ model: Model) throws -> StoredBuild {
        let first = BuildID(model: model.name, number: 1)
        try insertUnlessThere(
            database, Collections.definitions, id: .string(model.name),
            [
                "format": .int32(StoredFormat.current), "live": .string(first.description), "switch": .null,
                "builds": [
                    [
                        "build": .string(first.description), "stream": .string(model.stream), "source": .string(model.source),
                        "versions": model.versions.map(Value.string) ?? .null, "foldHash": .string(model.foldHash), "foldVersion": .int32(foldVersion),
                        "expires": .bool(model.fold.lifetime != nil), "created": .date(Int64(Date().timeIntervalSince1970 * 1000)),
                    ]
                ],
            ]
        )
        guard let stored = try document(database, Collections.definitions, ["_id": .string(model.name)], "read a definition") else {
            throw MongoError(code: 0, operation: "register a model", message: "\(model.name) cannot be read after it was made")
        }
        let build = try edit(database, try Self.liveBuild(stored), model)
        try create(database, ["create": .string(build.id.description)])
        try run(database, BSON.encode(Self.createIndexes(of: build)), .write, "create the indexes of \(build.id)")
        try pointView(database, model.name, at: build)
        return build
    }

    /// Gives the build the model's definition, if it goes on under it.
    private func edit(_ database: String, _ build: StoredBuild, _ model: Model) throws -> StoredBuild {
        guard build.isFoldable, model.goesOn(with: build.foldHash), build.source != model.source || build.foldHash != model.foldHash else { return build }
        let stored: Document = ["build": .string(build.id.description), "source": .string(build.source), "foldHash": .string(build.foldHash)]
        let fields: Document = [
            "builds.$.source": .string(model.source), "builds.$.versions": model.versions.map(Value.string) ?? .null,
            "builds.$.foldHash": .string(model.foldHash),
        ]
        let command: Document = [
            "update": .string(Collections.definitions),
            "updates": [["q": ["_id": .string(model.name), "builds": ["$elemMatch": .document(stored)]], "u": ["$set": .document(fields)]]],
        ]
        try Self.check(try run(database, BSON.encode(command), .write, "edit a definition"), "edit a definition")
        // Somebody else may have edited it at the same time.
        let now = try document(database, Collections.definitions, ["_id": .string(model.name)], "read a definition")
        return try now.map { try Self.liveBuild($0) } ?? build
    }

    fileprivate func liveBuilds(_ database: String) throws -> [String: StoredBuild] {
        let stored = try documents(database, Collections.definitions, [:], "read the definitions")
        return Dictionary(try stored.map { try Self.liveBuild($0) }.map { ($0.id.model, $0) }, uniquingKeysWith: { $1 })
    }

    fileprivate func builds(_ database: String, of model: String) throws -> [BuildID] {
        let stored = try document(database, Collections.definitions, ["_id": .string(model)], "read a definition")
        return stored?["builds"]?.asArray?.compactMap { $0.asDocument?["build"]?.asString.flatMap(BuildID.init) } ?? []
    }

    private static func liveBuild(_ stored: Document) throws(Refusal) -> StoredBuild {
        try StoredFormat.check(stored, "the definition of \(stored["_id"]?.asString ?? "a model")")
        let live = stored["live"]?.asString
        let entry = stored["builds"]?.asArray?.lazy.compactMap(\.asDocument).first { $0["build"]?.asString == live }
        guard let entry, let id = live.flatMap(BuildID.init), let stream = entry["stream"]?.asString, let source = entry["source"]?.asString,
            let foldHash = entry["foldHash"]?.asString, let version = entry["foldVersion"]?.asInteger
        else { throw Refusal(.logDamaged, "the definition of \(stored["_id"]?.asString ?? "a model") in millrace.definitions lacks its live build") }
        return StoredBuild(
            id: id, stream: stream, source: source, versions: entry["versions"]?.asString, foldHash: foldHash, foldVersion: Int32(clamping: version),
            expires: entry["expires"] == true)
    }

    /// What Millrace itself finds documents of a build by.
    static func createIndexes(of build: StoredBuild) -> Document {
        let field = StoredDocument.orphanField
        // Of orphans alone, so that it holds nothing where there are none.
        var indexes: [Value] = [["key": [field: 1], "name": "orphans", "partialFilterExpression": [field: true]]]
        if build.expires { indexes.append(["key": ["_position.p": 1, StoredDocument.expiryField: 1], "name": "expiry"]) }
        return ["createIndexes": .string(build.id.description), "indexes": .array(indexes)]
    }

    /// What outside readers see of a build.
    private static func viewPipeline(of build: StoredBuild) -> Value {
        var filter: Document = [StoredDocument.orphanField: ["$ne": true]]
        // By the server's clock, which the log's times come from.
        if build.expires { filter.append("$expr", ["$gt": [.string("$" + StoredDocument.expiryField), "$$NOW"]]) }
        return [["$match": .document(filter)], ["$unset": .array(StoredDocument.hiddenFields.filter { $0 != "_position" }.map(Value.string))]]
    }

    /// Makes the view that outside readers use, or points it at the build.
    private func pointView(_ database: String, _ model: String, at stored: StoredBuild) throws {
        let (build, pipeline) = (stored.id, Self.viewPipeline(of: stored))
        let reply = try run(database, BSON.encode(["listCollections": 1, "filter": ["name": .string(model)]]), .plain, "look for a view")
        let existing = reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.first?.asDocument
        let options = existing?["options"]?.asDocument
        switch (existing?["type"]?.asString, options?["viewOn"]?.asString) {
        case (nil, _): try create(database, ["create": .string(model), "viewOn": .string(build.description), "pipeline": pipeline])
        case ("view", build.description) where options?["pipeline"] == pipeline: break
        case ("view", let other?) where other.hasPrefix("\(model)@"):
            try run(
                database, BSON.encode(["collMod": .string(model), "viewOn": .string(build.description), "pipeline": pipeline, "maxTimeMS": 5000]),
                .write,
                "switch a view"
            )
        default:
            throw Refusal(
                .badConfiguration,
                "the database \(database) has a \(existing?["type"]?.asString ?? "collection") \(model) that is not Millrace's: rename it or the model"
            )
        }
    }

    /// Creates a collection or view; one that is there is left as it is.
    private func create(_ database: String, _ command: Document) throws(MongoError) {
        do throws(MongoError) {
            try run(database, BSON.encode(command), .write, "create a collection")
        } catch {
            guard error.serverCode == 48 else { throw error }
        }
    }
}
