import Events
import Models
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    @Suite struct CatalogTests {
        private func catalog(_ mongo: TestMongo) throws -> MongoCatalog {
            MongoCatalog(connection: try mongo.connection(), database: mongo.database)
        }

        private func collections(_ mongo: TestMongo) async throws -> [String: String] {
            let reply = try await mongo.command(["listCollections": 1, "nameOnly": true])
            let found = reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap(\.asDocument) ?? []
            return Dictionary(found.map { ($0["name"]?.asString ?? "", $0["type"]?.asString ?? "") }, uniquingKeysWith: { $1 })
        }

        @Test func `several that open a new database at once agree on one installation`() async throws {
            try await TestMongo.run { mongo in
                #expect(try await catalog(mongo).installation() == nil)
                #expect(try await collections(mongo).isEmpty, "looking makes nothing")
                let all = try (0..<4).map { _ in try catalog(mongo) }
                let opened = try await withThrowingTaskGroup(of: MongoCatalog.Installation.self) { group in
                    for catalog in all { group.addTask { try await catalog.open() } }
                    return try await group.reduce(into: Set()) { $0.insert($1) }
                }
                #expect(opened.count == 1)
                #expect(try await catalog(mongo).open() == opened.first)
                #expect(try await catalog(mongo).installation() == opened.first)
                #expect(try await mongo.documents("millrace.meta").count == 1)
                let installation = try #require(opened.first)
                #expect(!installation.id.isEmpty && installation.incarnation.count == 8 && !installation.incarnation.contains("/"))
            }
        }

        @Test func `every collection and index is there after opening, also where one was lost`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try catalog(mongo)
                let installation = try await catalog.open()
                let names = [
                    "meta", "log", "checkpoints", "leases", "definitions", "dead_letters", "runs", "snapshots", "unknown_types", "drift", "jobs", "runners",
                ].map { "millrace.\($0)" }
                #expect(try await collections(mongo).keys.sorted() == names.sorted())
                func indexes() async throws -> [[Value?]] {
                    let reply = try await mongo.command(["listIndexes": "millrace.log"])
                    return reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap(\.asDocument).map { [$0["key"], $0["unique"]] } ?? []
                }
                let expected: [[Value?]] = [[["_id": 1], nil], [["segment": 1, "index": 1], true], [["keys": 1, "_id": 1], nil]]
                #expect(try await indexes() == expected)
                try await mongo.command(["dropIndexes": "millrace.log", "index": "segment"])
                #expect(try await catalog.open() == installation)
                #expect(try await indexes().count == 3)
            }
        }

        @Test func `two databases are two installations`() async throws {
            try await TestMongo.run { one in
                try await TestMongo.run { other in
                    let (first, second) = (try await catalog(one).open(), try await catalog(other).open())
                    #expect(first.id != second.id && first.incarnation != second.incarnation)
                }
            }
        }

        @Test func `a newer or incomplete installation is refused`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try catalog(mongo)
                _ = try await catalog.open()
                try await mongo.change("millrace.meta", [:], ["$set": ["format": 2]])
                #expect(await #expect(throws: Refusal.self) { try await catalog.open() }?.problem == .newerFormat)
                try await mongo.change("millrace.meta", [:], ["$set": ["format": 1], "$unset": ["incarnation": ""]])
                #expect(await #expect(throws: Refusal.self) { try await catalog.open() }?.problem == .logDamaged)
            }
        }

        @Test func `a stream keeps the number of partitions it was made with`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try catalog(mongo)
                _ = try await catalog.open()
                var stream = StreamSettings(name: "product")
                stream.partitions = 3
                try await catalog.register(stream)
                try await catalog.register(stream)
                try await catalog.register(StreamSettings(name: "category"))
                stream.partitions = 4
                let refusal = await #expect(throws: Refusal.self) { try await catalog.register(stream) }
                #expect(refusal?.problem == .partitionsChanged)
                #expect(refusal?.message.contains("made with 3 partitions, and the configuration says 4") == true)
                #expect(try await mongo.documents("millrace.meta", ["_id": "stream:product"]).first?["partitions"] == 3)
            }
        }
    }
}
