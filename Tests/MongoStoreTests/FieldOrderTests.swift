import Fixtures
import Models
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    /// The write that is planned for a change makes a real mongod store exactly the folded document, byte for byte.
    @Suite struct FieldOrderTests {
        @Test(arguments: Seed.ofThisRun)
        func `a change of any document to any other`(seed: Seed) async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                var kinds: [String: Int] = [:]
                for round in 0..<100 {
                    var random = Random(seed, round: round)
                    let pairs = (0..<25).map { number in random.change("\(round)-\(number)") }
                    try await check(pairs, store, &kinds, "round \(round)")
                }
                // Without each of them the test would show less than it says.
                #expect(Set(kinds.keys) == ["insert", "set", "set and unset", "replace", "delete"])
                #expect(kinds.values.allSatisfy { $0 >= 20 }, "\(kinds)")
            }
        }

        private typealias Pair = (before: StoredDocument?, after: StoredDocument?)

        private func check(_ pairs: [Pair], _ store: MongoProjectionStore, _ kinds: inout [String: Int], _ round: String) async throws {
            let first = Commits.commit(try await store.checkpoint(), pairs.compactMap { DocumentWrite.change(from: nil, to: $0.before) })
            #expect(try await store.commit(first) == .committed)
            let writes = pairs.compactMap { DocumentWrite.change(from: $0.before, to: $0.after) }
            for write in writes { kinds[kind(write), default: 0] += 1 }
            do {
                #expect(try await store.commit(Commits.commit(first.to, writes)) == .committed)
            } catch {
                Issue.record("\(round): \(error)")
                return try await single(pairs, writes, store)
            }
            let stored = try await store.stored(pairs.compactMap { ($0.before ?? $0.after)?.key })
            for (before, after) in pairs {
                guard let key = (before ?? after)?.key else { continue }
                #expect(stored[key] == after?.bson, "\(round): from \(text(before)) to \(text(after)), stored \(text(stored[key]))")
            }
        }

        /// One by one, to tell which is refused.
        private func single(_ pairs: [Pair], _ writes: [DocumentWrite], _ store: MongoProjectionStore) async throws {
            for write in writes {
                let before = pairs.lazy.compactMap(\.before).first { $0.key == write.key }
                do {
                    #expect(try await store.commit(Commits.commit(store.checkpoint(), [write])) == .committed)
                } catch {
                    Issue.record("\(write), before \(text(before)): \(error)")
                }
            }
        }

        private func kind(_ write: DocumentWrite) -> String {
            switch write {
            case .insert: "insert"
            case .update(_, _, let unset): unset.isEmpty ? "set" : "set and unset"
            case .replace: "replace"
            case .put: "put"
            case .delete: "delete"
            }
        }

        private func text(_ document: StoredDocument?) -> String { text(document?.bson) }

        private func text(_ bson: [UInt8]?) -> String {
            guard let bson, let document = try? Document(bson: bson) else { return "nothing" }
            return JSON.write(.document(document))
        }
    }
}

extension Random {
    /// What one document is before and after a batch.
    fileprivate mutating func change(_ key: String) -> (before: StoredDocument?, after: StoredDocument?) {
        let before = fields()
        let after: Document
        switch below(8) {
        case 0: return (nil, stored(key, 1, before))
        case 1: return (stored(key, 1, before), nil)
        case 2: after = fields()
        case 3: after = Document(before.fields.shuffled(using: &self))
        default: after = edited(before)
        }
        return (stored(key, 1, before), stored(key, 2, after))
    }

    private mutating func stored(_ key: String, _ offset: Int64, _ fields: Document) -> StoredDocument {
        StoredDocument(key: key, position: DocumentPosition(partition: below(3), offset: offset, time: Int64(below(1 << 40))), fields: fields)
    }

    /// Top-level fields: any name but those that Millrace sets itself and, as `check` refuses it, with a leading dollar.
    private mutating func fields() -> Document {
        Document(document(.bson, depth: 3, fields: 8).fields.filter { $0.name != "_id" && !$0.name.hasPrefix("$") })
    }

    /// Most fields stay, some change, some go, some are added at the end: what events do.
    private mutating func edited(_ before: Document) -> Document {
        var after = Document()
        for field in before.fields {
            switch below(6) {
            case 0: continue
            case 1: after.append(field.name, value(.bson, depth: 2))
            default: after.append(field.name, field.value)
            }
        }
        // Sometimes only names that are numbers, which an update orders in a way of its own.
        let added = once(in: 4) ? document(.json, depth: 0, names: ["9", "10", "100"]) : fields()
        for field in added.fields.prefix(below(4)) where after[field.name] == nil { after.append(field.name, field.value) }
        return after
    }
}
