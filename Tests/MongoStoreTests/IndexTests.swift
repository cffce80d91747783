import Events
import Models
import Projector
import Testing
import Values

@testable import MongoStore

extension MongoSuite {
    /// Indexes that models ask for.
    @Suite struct IndexTests {
        private static let category = DocumentIndex([.init("category", 1), .init("price.amount", -1)])
        private static let name = DocumentIndex([.init("name", 1)])
        private static let tags = DocumentIndex([.init("tags", 1), .init("sizes.width", 1)])

        private func faults(_ catalog: MongoCatalog, _ indexes: [DocumentIndex]) async throws -> [String] {
            let builds = try await catalog.pointers().values.compactMap(\.liveBuild).map { (build: $0, indexes: indexes) }
            return try await catalog.indexFaults(of: builds)
        }

        private func names(_ mongo: TestMongo) async throws -> [String] {
            let reply = try await mongo.command(["listIndexes": .string(Commits.build.description)])
            let indexes = reply["cursor"]?.asDocument?["firstBatch"]?.asArray ?? []
            return indexes.compactMap { $0.asDocument?["name"]?.asString }.sorted()
        }

        private func catalog(_ mongo: TestMongo) async throws -> MongoCatalog {
            let catalog = MongoCatalog(connection: try mongo.connection(), database: mongo.database)
            _ = try await catalog.open()
            _ = try await catalog.register(
                Model(name: "product", stream: "product", fold: EffectFold([:]), source: "", foldHash: "1", stoppingHash: "2"))
            return catalog
        }

        @Test func `what is missing is made, what is named no more is removed, and what is somebody else's stays`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try await catalog(mongo)
                let fixed = ["_id_", "orphans"]
                #expect(try await catalog.make([Self.category, Self.name], of: Commits.build) == [])
                #expect(try await names(mongo) == (fixed + ["millrace:category_1,price.amount_-1,_id_1", "millrace:name_1,_id_1"]).sorted())
                #expect(try await faults(catalog, [Self.category, Self.name]) == [])
                #expect(try await catalog.make([Self.category, Self.name], of: Commits.build) == [])

                try await mongo.command(["createIndexes": "product@1", "indexes": [["key": ["tags": 1, "sizes.width": 1, "_id": 1], "name": "theirs"]]])
                #expect(
                    try await faults(catalog, [Self.name, Self.tags, DocumentIndex([.init("x", -1)])]) == [
                        "product@1 lacks the index millrace:x_-1,_id_1: it is made when a worker starts",
                        "product@1 has the index millrace:category_1,price.amount_-1,_id_1 of an earlier definition: it is removed when a worker starts",
                        "product@1 has an index theirs that Millrace does not know: each write pays for it",
                    ])
                // Theirs does what is asked for, and MongoDB would not have it twice.
                #expect(try await catalog.make([Self.tags], of: Commits.build) == [])
                #expect(try await names(mongo) == (fixed + ["theirs"]).sorted())
            }
        }

        @Test func `an index that documents in the build cannot have is told, and the others are made`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try await catalog(mongo)
                try await mongo.change("product@1", ["_id": "a"], ["$set": ["tags": [1], "sizes": [["width": 2]]]], upsert: true)
                let faults = try await catalog.make([Self.tags, Self.name], of: Commits.build)
                #expect(faults.count == 1 && faults[0].hasPrefix("product@1 does without the index millrace:tags_1,sizes.width_1,_id_1: "), "\(faults)")
                #expect(try await names(mongo).contains("millrace:name_1,_id_1"))
            }
        }

        @Test func `an index that cannot hold a document goes, and the document is written`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try await catalog(mongo)
                #expect(try await catalog.make([Self.tags, Self.category, Self.name], of: Commits.build) == [])
                let store = try mongo.store()
                let insert = Commits.insert("a", offset: 0, ["tags": ["x"], "sizes": [["width": 1]]])
                let from = try await store.checkpoint()
                let error = await #expect(throws: MongoError.self) { try await store.commit(Commits.commit(from, [insert])) }
                #expect(error?.isRetriable == true && error?.message.contains("product@1 does without the index millrace:tags_1,sizes.width_1,_id_1") == true)
                #expect(try await store.commit(Commits.commit(from, [insert])) == .committed)
                #expect(try await names(mongo) == ["_id_", "millrace:category_1,price.amount_-1,_id_1", "millrace:name_1,_id_1", "orphans"])
            }
        }

        @Test func `an index of somebody else's that cannot hold a document needs a person`() async throws {
            try await TestMongo.run { mongo in
                _ = try await catalog(mongo)
                try await mongo.command(["createIndexes": "product@1", "indexes": [["key": ["tags": 1, "sizes.width": 1, "_id": 1], "name": "theirs"]]])
                let store = try mongo.store()
                let from = try await store.checkpoint()
                let insert = Commits.insert("a", offset: 0, ["tags": ["x"], "sizes": [["width": 1]]])
                let error = await #expect(throws: MongoError.self) { try await store.commit(Commits.commit(from, [insert])) }
                #expect(error?.isRetriable == false && error?.message.contains("remove the index of product@1") == true)
                #expect(try await names(mongo) == ["_id_", "orphans", "theirs"])
            }
        }
    }
}
