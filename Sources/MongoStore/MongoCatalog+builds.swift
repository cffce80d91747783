import Events
import Foundation
import Models
import Projector
import Values

// Builds: their place in the pointer document, their collections, and the view.
extension MongoConnection {
    func pointer(_ database: String, to model: String) throws -> ModelPointer? {
        try document(database, Collections.definitions, ["_id": .string(model)], "read a definition").map { try PointerDocument.decode($0) }
    }

    func pointers(_ database: String) throws -> [String: ModelPointer] {
        let stored = try documents(database, Collections.definitions, [:], "read the definitions").map { try PointerDocument.decode($0) }
        return Dictionary(stored.map { ($0.model, $0) }, uniquingKeysWith: { $1 })
    }

    func replace(_ database: String, _ pointer: ModelPointer, with changed: ModelPointer) throws(MongoError) -> Bool {
        let command: Document = [
            "update": .string(Collections.definitions),
            "updates": [["q": .document(PointerDocument.filter(pointer)), "u": .document(PointerDocument.encode(changed))]],
        ]
        let reply = try run(database, BSON.encode(command), .write, "change a definition")
        try Self.check(reply, "change a definition")
        return reply["n"]?.asInteger == 1
    }

    func register(_ database: String, _ model: Model) throws -> ModelPointer {
        let first = ModelPointer(model, at: Int64(Date().timeIntervalSince1970 * 1000))
        try insertUnlessThere(database, Collections.definitions, id: .string(model.name), PointerDocument.encode(first))
        while true {
            guard let pointer = try pointer(database, to: model.name), let build = pointer.liveBuild else {
                throw MongoError(code: 0, operation: "register a model", message: "\(model.name) cannot be read after it was made")
            }
            if let edited = Self.edit(pointer, build, model) {
                // Somebody else may edit it at the same time: then it is looked at again.
                _ = try replace(database, pointer, with: edited)
                continue
            }
            try make(database, build)
            _ = try pointView(database, at: build)
            // 18: the view is compared with the pointer afterwards, which somebody else may have moved.
            if try self.pointer(database, to: model.name)?.live == pointer.live { return pointer }
        }
    }

    /// Gives the live build the model's definition, if it goes on under it.
    private static func edit(_ pointer: ModelPointer, _ build: StoredBuild, _ model: Model) -> ModelPointer? {
        guard build.isFoldable, model.goesOn(with: build.foldHash), build.source != model.source || build.foldHash != model.foldHash else { return nil }
        var edited = build
        edited.source = model.source
        edited.versions = model.versions
        edited.foldHash = model.foldHash
        return pointer.editing(edited)
    }

    /// Makes a build's collection with what Millrace itself finds its documents by.
    func make(_ database: String, _ build: StoredBuild) throws(MongoError) {
        try create(database, ["create": .string(build.id.description)])
        try run(database, BSON.encode(Self.createIndexes(of: build)), .write, "create the indexes of \(build.id)")
    }

    /// What Millrace itself finds documents of a build by.
    static func createIndexes(of build: StoredBuild) -> Document {
        let field = StoredDocument.orphanField
        // Of orphans alone, so that it holds nothing where there are none.
        var indexes: [Value] = [["key": [field: 1], "name": "orphans", "partialFilterExpression": [field: true]]]
        if build.expires { indexes.append(["key": ["_position.p": 1, StoredDocument.expiryField: 1], "name": "expiry"]) }
        return ["createIndexes": .string(build.id.description), "indexes": .array(indexes)]
    }

    // MARK: The view

    /// What outside readers see of a build.
    private static func viewPipeline(of build: StoredBuild) -> Value {
        var filter: Document = [StoredDocument.orphanField: ["$ne": true]]
        // By the server's clock, which the log's times come from.
        if build.expires { filter.append("$expr", ["$gt": [.string("$" + StoredDocument.expiryField), "$$NOW"]]) }
        return [["$match": .document(filter)], ["$unset": .array(StoredDocument.hiddenFields.filter { $0 != "_position" }.map(Value.string))]]
    }

    private func view(_ database: String, _ model: String) throws(MongoError) -> Document? {
        let reply = try run(database, BSON.encode(["listCollections": 1, "filter": ["name": .string(model)]]), .plain, "look for a view")
        return reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.first?.asDocument
    }

    func viewedBuild(_ database: String, of model: String) throws(MongoError) -> BuildID? {
        try view(database, model)?["options"]?.asDocument?["viewOn"]?.asString.flatMap(BuildID.init)
    }

    /// How long the view's switch may be waited for: an outsider's open transaction is in its way.
    private static let viewLimit = 5000
    /// MaxTimeMSExpired, LockTimeout
    private static let lateCodes: [Int] = [50, 24]

    /// Makes the view that outside readers use, or points it at the build. False where it took too long.
    func pointView(_ database: String, at stored: StoredBuild) throws -> Bool {
        let (model, build, pipeline) = (stored.id.model, stored.id, Self.viewPipeline(of: stored))
        let existing = try view(database, model)
        let options = existing?["options"]?.asDocument
        switch (existing?["type"]?.asString, options?["viewOn"]?.asString) {
        case (nil, _): try create(database, ["create": .string(model), "viewOn": .string(build.description), "pipeline": pipeline])
        case ("view", build.description) where options?["pipeline"] == pipeline: break
        case ("view", let other?) where other.hasPrefix("\(model)@"):
            let command: Document = [
                "collMod": .string(model), "viewOn": .string(build.description), "pipeline": pipeline, "maxTimeMS": .int32(Int32(Self.viewLimit)),
            ]
            do throws(MongoError) {
                try run(database, BSON.encode(command), .write, "switch a view")
            } catch {
                guard Self.lateCodes.contains(error.serverCode ?? 0) else { throw error }
                return false
            }
        default:
            throw Refusal(
                .badConfiguration,
                "the database \(database) has a \(existing?["type"]?.asString ?? "collection") \(model) that is not Millrace's: rename it or the model"
            )
        }
        return true
    }
}
