import Events
import Models
import Projector
import Testing
import Values

@testable import MongoStore

extension MongoSuite {
    /// A command is one BSON document of at most 16 MiB; a transaction has as many commands as it needs.
    @Suite struct LargeCommitTests {
        private func document(_ key: String, _ character: Character, bytes: Int) -> StoredDocument {
            Commits.document(key, ["text": .string(String(repeating: character, count: bytes))])
        }

        @Test func `many large documents in one transaction`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let keys = (0..<6).map { "k\($0)" }
                let inserts = Commits.commit(
                    try await store.checkpoint(), keys.map { .insert(key: $0, bson: document($0, "a", bytes: 3 << 20).bson) })
                #expect(try await store.commit(inserts) == .committed)
                let replacements = keys.map { DocumentWrite.replace(key: $0, bson: document($0, "b", bytes: 3 << 20).bson) }
                let missing = DocumentWrite.update(key: "missing", set: ["stock": 1], unset: [])
                #expect(try await store.commit(Commits.commit(inserts.to, replacements + [missing])) == .mismatch)
                for key in keys { #expect(try await store.stored([key])[key]?.count == document(key, "a", bytes: 3 << 20).bson.count) }
                #expect(try await store.stored(["k0"])["k0"] == document("k0", "a", bytes: 3 << 20).bson, "of a transaction that was undone")

                #expect(try await store.commit(Commits.commit(inserts.to, replacements)) == .committed)
                for key in keys { #expect(try await store.stored([key])[key] == document(key, "b", bytes: 3 << 20).bson) }
            }
        }

        @Test func `documents as large as a model may make them`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let size = Model.maximumDocumentSize.bytes - 200
                let documents = (0..<2).map { document("k\($0)", "a", bytes: size) }
                let small = (2..<7).map { document("k\($0)", "a", bytes: 1 << 20) }
                let commit = Commits.commit(try await store.checkpoint(), (small + documents).map { .insert(key: $0.key, bson: $0.bson) })
                #expect(try await store.commit(commit) == .committed)
                for document in documents { #expect(try await store.stored([document.key])[document.key] == document.bson) }
            }
        }

        @Test func `commands are few and none is too large for a server`() {
            let documents = (0..<20_000).map { Commits.document("k\($0)", ["text": .string(String(repeating: "x", count: 1000))]) }
            let from = Checkpoint(build: Commits.build, partition: Commits.partition)
            let commands = WriteCommands(Commits.commit(from, documents.map { .insert(key: $0.key, bson: $0.bson) })).commands
            #expect(commands.map(\.planned).reduce(0, +) == 20_001)
            #expect(commands.allSatisfy { $0.bytes.count <= 16 << 20 })
            #expect(commands.count < 10)
        }
    }
}
