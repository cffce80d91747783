import Events
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    /// A chunk whose stored bytes changed is refused by everything that reads those bytes, and by nothing else.
    @Suite struct LogDamageTests {
        private func isDamaged(_ read: () async throws -> Void) async -> Bool {
            do {
                try await read()
                return false
            } catch ChunkError.damaged {
                return true
            } catch {
                Issue.record("not ChunkError.damaged: \(error)")
                return false
            }
        }

        @Test(arguments: ["raw", "columns", "digests"])
        func `a flipped bit in a stored block is found`(block: String) async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 1, of: 50)
                let id: Document = ["_id": .document(ChunkCodec.id(writer.partition, 0))]
                let stored = try #require(try await mongo.documents("millrace.log", id).first)
                let bytes = Array(try #require(stored[block]?.asBinary))
                for place in [0, bytes.count / 2, bytes.count - 1] {
                    var flipped = bytes
                    flipped[place] ^= 1 << UInt8(place % 8)
                    try await mongo.change("millrace.log", id, ["$set": .document(Document([Document.Field(block, .binary(flipped))]))])
                    let (log, partition) = (writer.log, writer.partition)
                    #expect(await isDamaged { _ = try await log.chunks(of: partition, from: 0, events: 1) }, "byte \(place)")
                    #expect(await isDamaged { _ = try await log.chunks(of: partition, withKey: "p-1", below: .max) }, "byte \(place)")
                    #expect(await isDamaged { _ = try await log.digests(of: partition, from: 0, below: 50) } == (block == "digests"))
                    #expect(await !isDamaged { _ = try await log.tail(of: partition) })
                }
            }
        }

        @Test(arguments: ["n", "segment", "index", "at", "age", "totals", "keys"])
        func `a changed field is found`(field: String) async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 1, of: 5)
                let id: Document = ["_id": .document(ChunkCodec.id(writer.partition, 0))]
                let change: Value =
                    switch field {
                    case "segment": ["$set": ["segment": "another"]]
                    case "totals": ["$inc": ["totals.duplicates": .int64(1)]]
                    case "keys": ["$push": ["keys": "p-2"]]
                    case "at": ["$set": ["at": .date(0)]]
                    default: ["$inc": .document(Document([Document.Field(field, 1)]))]
                    }
                try await mongo.change("millrace.log", id, change)
                let (log, partition) = (writer.log, writer.partition)
                #expect(await isDamaged { _ = try await log.chunks(of: partition, from: 0, events: 1) })
                #expect(await isDamaged { _ = try await log.tail(of: partition) } == (field != "keys"))
                #expect(await isDamaged { _ = try await log.digests(of: partition, from: 0, below: 5) } == (field != "keys"))
            }
        }

        @Test func `a newer format is refused before anything else is looked at`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 1, of: 5)
                let newer = Int64(Chunk.format) + 1
                try await mongo.change(
                    "millrace.log", ["_id": .document(ChunkCodec.id(writer.partition, 0))],
                    ["$set": ["format": .int32(Int32(newer))], "$unset": ["sum": "", "columns": ""]])
                let (log, partition) = (writer.log, writer.partition)
                await #expect(throws: ChunkError.newerFormat(newer)) { try await log.chunks(of: partition, from: 0, events: 1) }
                await #expect(throws: ChunkError.newerFormat(newer)) { try await log.tail(of: partition) }
                await #expect(throws: ChunkError.newerFormat(newer)) { try await log.digests(of: partition, from: 0, below: 5) }
                await #expect(throws: ChunkError.newerFormat(newer)) { try await log.chunks(of: partition, withKey: "p-1", below: .max) }
            }
        }
    }
}
