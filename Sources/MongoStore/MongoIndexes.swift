import Events
import Models
import Projector
import Values

extension MongoCatalog {
    /// What is not as it should be with the indexes of Millrace's own collections and of builds, one line each.
    public func indexFaults(of builds: [(build: StoredBuild, indexes: [DocumentIndex])]) async throws -> [String] {
        try await connection.indexFaults(database, builds)
    }

    /// Makes the indexes that a definition asks for and a build lacks, and removes those that Millrace made for an earlier
    /// one. What somebody else made stays. On a filled collection it takes its time, while the build is written to.
    ///
    /// Returns what could not be made and why, one line each.
    public func make(_ indexes: [DocumentIndex], of build: BuildID) async throws -> [String] {
        let found = try await connection.indexes(database, build.description)
        for name in found.map(MongoConnection.name) where name.hasPrefix(DocumentIndex.prefix) && !indexes.contains(where: { $0.name == name }) {
            try await connection.dropIndex(database, build, name)
        }
        var faults: [String] = []
        for index in indexes where !found.contains(where: index.isServed) {
            do {
                try await connection.create(database, index, of: build)
            } catch {
                guard !error.isRetriable else { throw error }
                faults.append("\(build) does without the index \(index.name): \(error.message)")
            }
        }
        return faults
    }
}

extension DocumentIndex {
    fileprivate var key: Document { Document(fields.map { Document.Field($0.path, .int32($0.direction)) }) }

    /// Whether a stored index does what this one is for, whoever made it and whatever it is called.
    fileprivate func isServed(by stored: Document) -> Bool {
        (stored["key"] ?? .null).isLike(.document(key)) && ["sparse", "partialFilterExpression", "collation"].allSatisfy { stored[$0] == nil }
    }

    /// Whether a stored one may be what cannot hold two arrays of these names.
    fileprivate static func holds(_ stored: Document, _ names: [String]) -> Bool {
        let paths = stored["key"]?.asDocument?.fields.map { $0.name.split(separator: ".").map(String.init) } ?? []
        return paths.count > 1 && names.allSatisfy { name in paths.contains { $0.contains(name) } }
    }
}

extension MongoConnection {
    /// Whoever makes indexes of Millrace's own collections, and whoever looks whether they are there, takes these.
    static let ownIndexes = [MongoLog.createIndexes, MongoRuns.createIndexes, DeadLetterDocument.createIndexes]

    fileprivate func indexFaults(_ database: String, _ builds: [(build: StoredBuild, indexes: [DocumentIndex])]) throws -> [String] {
        try Self.ownIndexes.flatMap { try indexFaults(database, $0, []) }
            + builds.flatMap { try indexFaults(database, Self.createIndexes(of: $0.build), $0.indexes) }
    }

    private func indexFaults(_ database: String, _ command: Document, _ indexes: [DocumentIndex]) throws -> [String] {
        let collection = command["createIndexes"]?.asString ?? ""
        let wanted = command["indexes"]?.asArray?.compactMap(\.asDocument) ?? []
        let found = try self.indexes(database, collection)
        func isSame(_ left: Document, _ right: Document) -> Bool {
            ["key", "name", "unique", "partialFilterExpression"].allSatisfy { (left[$0] ?? .null).isLike(right[$0] ?? .null) }
        }
        let missing =
            wanted.filter { index in !found.contains { isSame($0, index) } }.map(Self.name)
            + indexes.filter { !found.contains(where: $0.isServed) }.map(\.name)
        let known = ["_id_"] + wanted.map(Self.name) + indexes.map(\.name)
        let surplus = found.map(Self.name).filter { !known.contains($0) }
        return missing.map { "\(collection) lacks the index \($0): it is made when a worker starts" }
            + surplus.map { name in
                name.hasPrefix(DocumentIndex.prefix)
                    ? "\(collection) has the index \(name) of an earlier definition: it is removed when a worker starts"
                    : "\(collection) has an index \(name) that Millrace does not know: each write pays for it"
            }
    }

    /// The indexes of a collection; none where there is no such collection.
    fileprivate func indexes(_ database: String, _ collection: String) throws(MongoError) -> [Document] {
        do throws(MongoError) {
            let reply = try run(database, BSON.encode(["listIndexes": .string(collection)]), .plain, "list indexes")
            return reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap(\.asDocument) ?? []
        } catch {
            guard error.serverCode == 26 else { throw error }
            return []
        }
    }

    fileprivate static func name(_ index: Document) -> String { index["name"]?.asString ?? "" }

    fileprivate func create(_ database: String, _ index: DocumentIndex, of build: BuildID) throws(MongoError) {
        let command: Document = [
            "createIndexes": .string(build.description), "indexes": [["key": .document(index.key), "name": .string(index.name)]],
        ]
        try run(database, BSON.encode(command), .write, "create the index \(index.name) of \(build)")
    }

    fileprivate func dropIndex(_ database: String, _ build: BuildID, _ name: String) throws(MongoError) {
        do throws(MongoError) {
            try run(database, BSON.encode(["dropIndexes": .string(build.description), "index": .string(name)]), .write, "remove the index \(name) of \(build)")
        } catch {
            // Somebody else has.
            guard error.serverCode == 27 else { throw error }
        }
    }

    /// What a write's failure means once Millrace's own indexes are out of its way.
    ///
    /// MongoDB refuses a document with arrays at two paths of one index. An index is there for reading: it goes, and the
    /// document is written. One that somebody else made is his to remove.
    func clearIndexes(_ database: String, _ build: BuildID, after error: MongoError) -> MongoError {
        guard error.serverCode == MongoError.parallelArrays else { return error }
        let names = error.message.split(separator: "[").dropFirst().compactMap { $0.split(separator: "]").first.map(String.init) }
        do throws(MongoError) {
            let own = try indexes(database, build.description).filter { Self.name($0).hasPrefix(DocumentIndex.prefix) && DocumentIndex.holds($0, names) }
            for index in own { try dropIndex(database, build, Self.name(index)) }
            let said = own.map(Self.name).joined(separator: ", ")
            return MongoError(
                code: error.code, labels: own.isEmpty ? [] : ["TransientTransactionError"], operation: error.operation,
                message: own.isEmpty
                    ? "\(error.message): remove the index of \(build) that asks for both"
                    : "\(error.message): \(build) does without the index \(said) from here on, which cannot hold the document"
            )
        } catch {
            return error
        }
    }
}

extension Value {
    /// Equal, with numbers of every width among each other: a server answers in others than it was asked in.
    fileprivate func isLike(_ other: Value) -> Bool { Value.order(self, other) == 0 }
}
