import Events
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    @Suite struct LogAppendTests {
        @Test func `a chunk comes back as it was appended`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                let first = try await writer.append([event("a", key: "k"), event("a", key: "k"), "no json", event("b", key: "é")])
                let second = try await writer.append([event("c")])
                let stored = try await writer.log.chunks(of: writer.partition, from: 0, events: 100)
                #expect(stored.map(ChunkCodec.encode) == [first, second].map(ChunkCodec.encode))
                #expect(stored[0].elements.map(\.kind) == [.event, .duplicate, .refused, .event])
            }
        }

        @Test func `an empty log ends at 0, by the server's clock`() async throws {
            try await TestMongo.run { mongo in
                let log = try await mongo.log()
                let before = try await log.clock()
                let tail = try await log.tail(of: PartitionID(stream: "product", number: 0))
                let after = try await log.clock()
                #expect(tail == LogTail(offset: 0, totals: LogTotals(), at: 0, age: 0, now: tail.now))
                #expect(before...after ~= tail.now)
                let hello = try await mongo.outsider.command("admin", ["hello": 1])["localTime"]?.asDate
                #expect(abs(tail.now - (try #require(hello))) < 10_000)
            }
        }

        @Test func `the tail is the end of this partition, with its totals and times`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append([event("a"), event("a"), "no json"])
                let last = try await writer.append([event("b")])
                // Neighbours by number and by name, each of them longer.
                for (number, partition) in [PartitionID(stream: "product", number: 1), PartitionID(stream: "product2", number: 0)].enumerated() {
                    var neighbour = LogWriter(writer.log)
                    neighbour.partition = partition
                    neighbour.settings.partitions = partition.number + 1
                    neighbour.place.segment = "neighbour-\(number)"
                    try await neighbour.append(chunks: 3, of: 4)
                }
                let tail = try await writer.log.tail(of: writer.partition)
                #expect(
                    tail == LogTail(offset: 4, totals: LogTotals(received: 4, duplicates: 1, undecodable: 1), at: last.at, age: last.age, now: tail.now))
                #expect(try await writer.log.tail(of: PartitionID(stream: "product", number: 1)).offset == 12)
                for empty in [PartitionID(stream: "produc", number: 0), PartitionID(stream: "product", number: 2)] {
                    #expect(try await writer.log.tail(of: empty).offset == 0, "\(empty)")
                }
            }
        }

        @Test func `an offset is taken once, and so is a part of a segment`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                let first = try await writer.append([event("a")])
                let next = writer.place

                writer.place = .init(offset: 0, totals: LogTotals(), segment: "segment-2", index: 0, at: next.at, age: 0)
                #expect(try await writer.log.append(writer.chunk([event("b")])) == .collision, "the same offset")
                writer.place = next
                writer.place.index = 0
                #expect(try await writer.log.append(writer.chunk([event("b")])) == .collision, "the same part of the segment")

                let stored = try await writer.log.chunks(of: writer.partition, from: 0, events: 100)
                #expect(stored.map(ChunkCodec.encode) == [ChunkCodec.encode(first)])
                writer.place = next
                #expect(try await writer.log.append(writer.chunk([event("b")])) == .appended)
            }
        }

        @Test func `of workers that append at one place, one succeeds`() async throws {
            try await TestMongo.run { mongo in
                let writer = LogWriter(try await mongo.log())
                let chunks = (0..<4).map { writer.chunk([event("\($0)")]) }
                let replies = try await withThrowingTaskGroup(of: AppendReply.self) { group in
                    for chunk in chunks {
                        let log = MongoLog(connection: try mongo.connection(), database: mongo.database)
                        group.addTask { try await log.append(chunk) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(replies.filter { $0 == .appended }.count == 1)
                #expect(replies.filter { $0 == .collision }.count == 3)
                #expect(try await writer.log.tail(of: writer.partition).offset == 1)
            }
        }
    }
}
