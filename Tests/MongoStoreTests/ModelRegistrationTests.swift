import Events
import Models
import Projector
import Testing
import Values

@testable import MongoStore

extension MongoSuite {
    @Suite struct ModelRegistrationTests {
        private func catalog(_ mongo: TestMongo) throws -> MongoCatalog {
            MongoCatalog(connection: try mongo.connection(), database: mongo.database)
        }

        private func live(_ catalog: MongoCatalog) async throws -> [String: StoredBuild] { try await catalog.pointers().compactMapValues(\.liveBuild) }

        private func model(_ name: String = "product", hash: String = "hash-1", source: String = "source 1", stoppingHash: String = "-") -> Model {
            Model(name: name, stream: "product", fold: EffectFold([:]), source: source, foldHash: hash, stoppingHash: stoppingHash)
        }

        private func view(_ mongo: TestMongo, _ name: String = "product") async throws -> Document? {
            let reply = try await mongo.command(["listCollections": 1, "filter": ["name": .string(name)]])
            return reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.first?.asDocument
        }

        private let first = StoredBuild(
            id: BuildID(model: "product", number: 1), stream: "product", source: "source 1", foldHash: "hash-1", foldVersion: Models.foldVersion)

        @Test func `registering makes the build and the view, and again nothing`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try catalog(mongo)
                #expect(try await live(catalog) == [:])
                #expect(try await catalog.register(model()).liveBuild == first)
                let store = try mongo.store()
                #expect(try await store.commit(Commits.commit(store.checkpoint(), [Commits.insert("a")])) == .committed)
                let stored = try await mongo.documents("millrace.definitions")

                #expect(try await catalog.register(model()).liveBuild == first)
                #expect(try await mongo.documents("millrace.definitions") == stored)
                #expect(try await mongo.documents("product").map { $0["_id"] } == ["a"], "through the view")
                #expect(try await view(mongo)?["type"] == "view")
                #expect(try await live(catalog) == ["product": first])
                #expect(first.isFoldable)
            }
        }

        @Test func `several that register at once agree`() async throws {
            try await TestMongo.run { mongo in
                let all = try (0..<4).map { number in (catalog: try catalog(mongo), model: model(hash: "hash-\(number)")) }
                let builds = try await withThrowingTaskGroup(of: StoredBuild?.self) { group in
                    for one in all { group.addTask { try await one.catalog.register(one.model).liveBuild } }
                    return try await group.reduce(into: Set()) { $0.insert($1) }
                }
                #expect(builds.count == 1)
                #expect(try await view(mongo)?["options"]?.asDocument?["viewOn"] == "product@1")
            }
        }

        @Test func `an edited model keeps its build and that build's definition`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try catalog(mongo)
                _ = try await catalog.register(model())
                #expect(try await catalog.register(model(hash: "hash-2", source: "source 2")).liveBuild == first)
            }
        }

        @Test func `what needs no rebuild is edited in place`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try catalog(mongo)
                _ = try await catalog.register(model())
                // A part that only serves.
                let served = try #require(await catalog.register(model(source: "source 2")).liveBuild)
                #expect(served.source == "source 2" && served.foldHash == "hash-1" && served.id == first.id)
                // A model that errors stopped goes on under another policy.
                let policy = try #require(await catalog.register(model(hash: "hash-3", source: "source 3", stoppingHash: "hash-1")).liveBuild)
                #expect(policy.source == "source 3" && policy.foldHash == "hash-3")
                #expect(try await live(catalog) == ["product": policy])
                // One that another version folds is not touched.
                try await mongo.change("millrace.definitions", [:], ["$set": ["builds.0.foldVersion": 99]])
                #expect(try await catalog.register(model(hash: "hash-3", source: "source 4")).liveBuild?.source == "source 3")
            }
        }

        @Test func `what is not Millrace's is left alone`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try catalog(mongo)
                try await mongo.change("product", ["_id": 1], ["$set": ["foreign": true]], upsert: true)
                try await mongo.command(["create": "category", "viewOn": "elsewhere", "pipeline": []])
                for name in ["product", "category"] {
                    let before = try await view(mongo, name)
                    let refusal = await #expect(throws: Refusal.self) { try await catalog.register(model(name)) }
                    #expect(refusal?.problem == .badConfiguration)
                    #expect(refusal?.message.contains(name) == true && refusal?.message.contains("rename") == true)
                    #expect(try await view(mongo, name) == before)
                }
                #expect(try await mongo.documents("product").map { $0["foreign"] } == [true])
            }
        }

        @Test func `a view that points at another build is pointed at the live one`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try catalog(mongo)
                try await mongo.command(["create": "product", "viewOn": "product@7", "pipeline": []])
                _ = try await catalog.register(model())
                #expect(try await view(mongo)?["options"]?.asDocument?["viewOn"] == "product@1")
                // The pointer decides, not the number.
                try await mongo.change(
                    "millrace.definitions", [:],
                    [
                        "$set": ["live": "product@2"],
                        "$push": [
                            "builds": [
                                "build": "product@2", "stream": "product", "source": "source 2", "foldHash": "hash-2", "foldVersion": 99,
                            ]
                        ],
                    ])
                let live = try #require(await catalog.register(model()).liveBuild)
                #expect(live.id == BuildID(model: "product", number: 2) && live.source == "source 2" && !live.isFoldable)
                #expect(try await view(mongo)?["options"]?.asDocument?["viewOn"] == "product@2")
            }
        }

        @Test func `a newer definition, or one without its live build, is refused`() async throws {
            try await TestMongo.run { mongo in
                let catalog = try catalog(mongo)
                _ = try await catalog.register(model())
                try await mongo.change("millrace.definitions", [:], ["$set": ["format": 3]])
                #expect(await #expect(throws: Refusal.self) { try await catalog.register(model()) }?.problem == .newerFormat)
                #expect(await #expect(throws: Refusal.self) { try await live(catalog) }?.problem == .newerFormat)
                try await mongo.change("millrace.definitions", [:], ["$set": ["format": 1, "live": "product@2"]])
                #expect(await #expect(throws: Refusal.self) { try await catalog.register(model()) }?.problem == .logDamaged)
            }
        }
    }
}
