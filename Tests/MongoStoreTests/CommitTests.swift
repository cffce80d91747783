import Events
import Models
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    @Suite struct CommitTests {
        @Test func `every kind of write takes effect with the checkpoint`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let first = Commits.commit(try await store.checkpoint(), events: 4, ["a", "b", "c"].map { Commits.insert($0) })
                #expect(try await store.commit(first) == .committed)
                let second = Commits.commit(
                    first.to,
                    [
                        .update(key: "a", set: ["_position": ["p": 0, "o": .int64(4), "t": .date(1_700_000_000_000)], "name": "n"], unset: ["stock"]),
                        .replace(key: "b", bson: Commits.document("b", offset: 5, ["z": 1, "a": 2]).bson),
                        .delete(key: "c"),
                        Commits.insert("d", offset: 6),
                        .put(key: "e", bson: Commits.document("e", offset: 7).bson),
                    ], [Commits.letter(3)])
                #expect(try await store.commit(second) == .committed)
                #expect(
                    try await store.stored(["a", "b", "c", "d", "e"]) == [
                        "a": Commits.document("a", offset: 4, ["name": "n"]).bson,
                        "b": Commits.document("b", offset: 5, ["z": 1, "a": 2]).bson,
                        "d": Commits.document("d", offset: 6).bson,
                        "e": Commits.document("e", offset: 7).bson,
                    ])
                #expect(try await store.checkpoint() == second.to)
                #expect(try await mongo.documents("millrace.dead_letters").count == 1)
            }
        }

        /// Each is planned for a document that is not as it was thought to be.
        static let mistaken: [DocumentWrite] = [
            .update(key: "missing", set: ["stock": 2], unset: []),
            .replace(key: "missing", bson: Commits.document("missing").bson),
            .delete(key: "missing"),
            Commits.insert("there"),
        ]

        @Test(arguments: mistaken.indices, [true, false])
        func `a document that is not as was thought undoes the whole transaction`(number: Int, isFirst: Bool) async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let setup = Commits.commit(try await store.checkpoint(), ["there", "a", "b"].map { Commits.insert($0) })
                #expect(try await store.commit(setup) == .committed)
                let before = try await mongo.everything()

                let good: [DocumentWrite] = [.update(key: "a", set: ["stock": 2], unset: []), .delete(key: "b"), Commits.insert("c")]
                let writes = isFirst ? [Self.mistaken[number]] + good : good + [Self.mistaken[number]]
                #expect(try await store.commit(Commits.commit(setup.to, writes, [Commits.letter(1)])) == .mismatch)
                #expect(try await mongo.everything() == before)
                #expect(try await store.commit(Commits.commit(setup.to, good, [Commits.letter(1)])) == .committed)
            }
        }

        @Test func `a document that is put replaces what is there, or is inserted`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                try await mongo.change(Commits.build.description, ["_id": "foreign"], ["$set": ["whatever": true]], upsert: true)
                let writes = ["foreign", "missing"].map { DocumentWrite.put(key: $0, bson: Commits.document($0).bson) }
                #expect(try await store.commit(Commits.commit(store.checkpoint(), writes)) == .committed)
                let stored = try await store.stored(["foreign", "missing"])
                #expect(stored == ["foreign": Commits.document("foreign").bson, "missing": Commits.document("missing").bson])
            }
        }

        @Test func `a dead letter is written once for each build, and once where it is no event`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let builds = [Commits.build, BuildID(model: "category", number: 3)]
                for build in builds {
                    let letters = [Commits.letter(1, build: nil, "not JSON"), Commits.letter(2, build: build)]
                    #expect(try await store.commit(Commits.commit(store.checkpoint(build), [], letters)) == .committed)
                }
                let stored = try await mongo.documents("millrace.dead_letters", sort: ["_id.o": 1, "_id.b": 1])
                #expect(stored.map { $0["_id"]?.asDocument?["b"] } == [.null, "category@3", "product@1"])
                let fields: Document = [
                    "_id": ["b": .null, "s": "product", "p": 0, "o": .int64(1)], "at": .date(1_700_000_000_000), "format": 1, "key": .null,
                    "message": "not JSON", "problem": "bad-operand", "type": .null,
                ]
                #expect(stored[0] == fields)
                #expect(stored[2]["key"] == "p-1" && stored[2]["type"] == "stockAdjusted")
            }
        }

        @Test func `keys are told apart by their bytes`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let keys = ["é", "e\u{301}", "a.b", "$a", " ", "x\u{1}", String(repeating: "k", count: 512)]
                let commit = Commits.commit(try await store.checkpoint(), keys.enumerated().map { Commits.insert($1, ["n": .int32(Int32($0))]) })
                #expect(try await store.commit(commit) == .committed)
                for (number, key) in keys.enumerated() {
                    let found = try await store.documents(of: Commits.build, keys: [key])
                    #expect(found.map(\.bson) == [Commits.document(key, ["n": .int32(Int32(number))]).bson])
                }
                #expect(try await store.documents(of: Commits.build, keys: keys + ["none"]).count == keys.count)
            }
        }
    }
}
