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
            } catch ChunkError.damaged(let what) {
                #expect(what.contains("/0@0, "), "it says where: \(what)")
                return true
            } catch {
                Issue.record("not ChunkError.damaged: \(error)")
                return false
            }
        }

        /// A flipped bit, or a block of another chunk that is as good as the right one in itself.
        @Test(arguments: ["raw", "columns", "digests"])
        func `a stored block that changed is found`(block: String) async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append((100..<150).map { event("\($0)") })
                try await writer.append((150..<200).map { event("\($0)", "stockRestored") })
                let blocks = try await mongo.documents("millrace.log").compactMap { $0[block]?.asBinary.map(Array.init) }
                try #require(blocks.count == 2 && blocks[0] != blocks[1])
                let flipped = [0, blocks[0].count / 2, blocks[0].count - 1].map { place in
                    var bytes = blocks[0]
                    bytes[place] ^= 1 << UInt8(place % 8)
                    return bytes
                }
                for (number, bytes) in (flipped + [blocks[1]]).enumerated() {
                    let change: Value = ["$set": .document(Document([Document.Field(block, .binary(bytes))]))]
                    try await mongo.change("millrace.log", ["_id": .document(ChunkCodec.id(writer.partition, 0))], change)
                    let (log, partition) = (writer.log, writer.partition)
                    #expect(await isDamaged { _ = try await log.chunks(of: partition, from: 0, events: 1) }, "change \(number)")
                    #expect(await isDamaged { _ = try await log.chunks(of: partition, withKeys: ["p-1"], 0..<50) }, "change \(number)")
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
                await #expect(throws: ChunkError.newerFormat(newer)) { try await log.chunks(of: partition, withKeys: ["p-1"], 0..<Int64.max) }
            }
        }
    }
}
