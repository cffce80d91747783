import Events
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    @Suite struct LogReadingTests {
        @Test func `reading begins with the chunk that holds the offset`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 3, of: 5)
                for offset: Int64 in [0, 4, 5, 7, 9, 10, 14] {
                    let chunks = try await writer.log.chunks(of: writer.partition, from: offset, events: 100)
                    #expect(chunks.map(\.offset) == [0, 5, 10].filter { $0 + 5 > offset }, "from \(offset)")
                }
            }
        }

        @Test func `behind the end there is nothing`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                #expect(try await writer.log.chunks(of: writer.partition, from: 0, events: 100).isEmpty)
                try await writer.append(chunks: 2, of: 5)
                #expect(try await writer.log.chunks(of: writer.partition, from: 10, events: 100).isEmpty)
                #expect(try await writer.log.chunks(of: PartitionID(stream: "product", number: 1), from: 0, events: 100).isEmpty)
            }
        }

        @Test func `reading stops when it has enough events`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 4, of: 5)
                for (events, count) in [(1, 1), (5, 1), (6, 2), (10, 2), (11, 3), (99, 3)] {
                    let chunks = try await writer.log.chunks(of: writer.partition, from: 7, events: events)
                    #expect(chunks.map(\.offset) == (1...Int64(count)).map { $0 * 5 }, "\(events) events")
                }
            }
        }

        @Test(arguments: [(missing: 0, from: 0), (missing: 5, from: 0), (missing: 5, from: 7)])
        func `a hole in the log is damage`(missing: Int64, from: Int64) async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 3, of: 5)
                try await mongo.remove("millrace.log", ["_id": .document(ChunkCodec.id(writer.partition, missing))])
                let refusal = await #expect(throws: Refusal.self) { try await writer.log.chunks(of: writer.partition, from: from, events: 100) }
                #expect(refusal?.problem == .logDamaged)
                #expect(refusal?.message.contains("no chunk at offset \(missing)") == true)
            }
        }

        @Test func `a key's chunks are found, each once and in order`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append([event("a", key: "x"), event("b", key: "y"), event("c", key: "x")])
                try await writer.append([event("d", key: "y")])
                try await writer.append([event("e", key: "x"), "no json"])
                var other = LogWriter(writer.log)
                other.partition = PartitionID(stream: "other", number: 0)
                other.place.segment = "other"
                try await other.append([event("f", key: "x")])

                func offsets(_ keys: String..., in offsets: Range<Int64> = 0..<Int64.max) async throws -> [Int64] {
                    try await writer.log.chunks(of: writer.partition, withKeys: keys, offsets).map(\.offset)
                }
                #expect(try await offsets("x") == [0, 4])
                #expect(try await offsets("x", in: 0..<4) == [0])
                #expect(try await offsets("y", in: 0..<6) == [0, 3])
                #expect(try await offsets("x", "y") == [0, 3, 4])
                #expect(try await offsets("x", in: 2..<9) == [0, 4], "from the middle of a chunk")
                #expect(try await offsets("x", in: 3..<9) == [4])
                #expect(try await offsets("x", in: 6..<9) == [], "behind the end")
                #expect(try await offsets("z") == [])
                // A key of many chunks comes page by page.
                for number in 0..<9 { try await writer.append([event("many-\(number)", key: "many")]) }
                var pages: [[Int64]] = []
                while let page = try? await offsets("many", in: ((pages.last?.last).map { $0 + 1 } ?? 0)..<Int64.max), !page.isEmpty { pages.append(page) }
                #expect(pages.count > 2 && pages.flatMap(\.self) == Array(6..<15))
            }
        }
    }
}
