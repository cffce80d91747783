import Events
import Fixtures
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    @Suite struct LogMergeTests {
        private static let keys = ["x", "y", "z"]

        /// Chunks of one to three events, each of one of a few keys.
        private static func write(_ writer: inout LogWriter, _ count: Int, _ random: inout Random) async throws -> [Chunk] {
            var chunks: [Chunk] = []
            for _ in 0..<count {
                let start = writer.place.offset
                let events = (0..<Int64(1 + random.below(3))).map { event("\(start + $0)", key: keys[random.below(keys.count)], ["delta": .int64(start + $0)]) }
                chunks.append(try await writer.append(events))
            }
            return chunks
        }

        /// Who reads a log that ends somewhere.
        private struct Reader: Sendable {
            let log: MongoLog
            let partition: PartitionID
            let end: Int64

            init(_ writer: LogWriter) { (log, partition, end) = (writer.log, writer.partition, writer.place.offset) }
        }

        private static func all(_ reader: Reader, from offset: Int64 = 0, page: Int) async throws -> [Chunk] {
            var found: [Chunk] = []
            var next = offset
            while true {
                let more = try await reader.log.chunks(of: reader.partition, from: next, events: page)
                guard let last = more.last else { return found }
                found += more
                next = last.end
            }
        }

        private static func withKeys(_ reader: Reader, _ keys: [String], _ offsets: Range<Int64>) async throws -> [Chunk] {
            var found: [Chunk] = []
            var next = offsets.lowerBound
            while true {
                let more = try await reader.log.chunks(of: reader.partition, withKeys: keys, next..<offsets.upperBound)
                guard let last = more.last else { return found }
                found += more
                next = last.end
            }
        }

        private static func digests(_ reader: Reader, from offset: Int64) async throws -> [Int64] {
            var found: [Int64] = []
            var next = offset
            while next < reader.end {
                let page = try await reader.log.digests(of: reader.partition, from: next, below: reader.end)
                guard let last = page.last else { break }
                found += page.map(\.offset)
                next = last.offset + Int64(last.count)
            }
            return found
        }

        private static func expectSame(_ chunks: [Chunk], _ reader: Reader, _ comment: Comment) async throws {
            let wanted = chunks.map(ChunkCodec.encode)
            for page in [1, 7, 1000] { #expect(try await all(reader, page: page).map(ChunkCodec.encode) == wanted, comment) }
            for (place, chunk) in chunks.enumerated() {
                let found = try await reader.log.chunks(of: reader.partition, from: chunk.end - 1, events: 1)
                #expect(found.first.map(ChunkCodec.encode) == wanted[place], comment)
            }
            for key in keys {
                let own = chunks.filter { $0.keys.contains(ExactString(key)) }
                let end = reader.end
                #expect(try await withKeys(reader, [key], 0..<end).map(ChunkCodec.encode) == own.map(ChunkCodec.encode), comment)
                let middle = chunks[chunks.count / 2].offset
                #expect(try await withKeys(reader, [key], middle..<end).map(\.offset) == own.filter { $0.end > middle }.map(\.offset), comment)
            }
            #expect(try await digests(reader, from: 0) == chunks.map(\.offset), comment)
            #expect(try await digests(reader, from: chunks[2].offset) == chunks[2...].map(\.offset), comment)
            let last = chunks[chunks.count - 1]
            #expect(try await reader.log.progress(of: reader.partition, segment: "segment-1").end == last.index + Int64(last.count), comment)
            #expect(try await reader.log.tail(of: reader.partition).totals == last.totals, comment)
        }

        @Test(arguments: Seed.ofThisRun) func `what is merged is read as it was, and again merged with what follows`(seed: Seed) async throws {
            try await TestMongo.run { mongo in
                var random = Random(seed)
                var writer = LogWriter(try await mongo.log())
                var settings = writer.settings
                (settings.chunkEvents, settings.dedupeEvents) = (20, 1)
                var chunks = try await Self.write(&writer, 40, &random)
                let merge = LogMerge(writer.log)
                let first = try await merge.run(writer.partition, settings: settings)
                #expect(first >= 25)
                try await Self.expectSame(chunks, Reader(writer), "merged once: \(seed)")
                #expect(try await merge.run(writer.partition, settings: settings) == 0, "nothing is left to do")

                chunks += try await Self.write(&writer, 40, &random)
                settings.chunkEvents = 60
                #expect(try await merge.run(writer.partition, settings: settings) >= 30)
                try await Self.expectSame(chunks, Reader(writer), "merged again: \(seed)")
                #expect(try await mongo.documents("millrace.log").count == chunks.count, "no place is free")

                // A key goes from all of them, also from what is left of those that are merged.
                for place in chunks.indices { _ = chunks[place].erase { [chunk = chunks[place]] in chunk.key(of: $0) == "y" } }
                #expect(try await writer.log.erase("y", in: writer.partition).events > 0)
                #expect(try await writer.log.erase("y", in: writer.partition).elements == 0)
                try await Self.expectSame(chunks, Reader(writer), "erased: \(seed)")
                #expect(try await mongo.documents("millrace.log", ["keys": "y"]).isEmpty)
                #expect(try await mongo.documents("millrace.log", ["moreKeys": "y"]).isEmpty)

                // The log begins where a document does.
                let boundary = try await writer.log.boundary(of: writer.partition, at: chunks[60].offset)
                #expect(boundary <= chunks[60].offset)
                _ = try await writer.log.declare(writer.partition, prunedBelow: boundary)
                var next: Int64 = 0
                while next < boundary, let pruned = try await writer.log.prune(writer.partition, next..<boundary) { next = pruned.end }
                let rest = try await Self.all(Reader(writer), from: boundary, page: 10)
                #expect(rest.map(ChunkCodec.encode) == chunks.filter { $0.offset >= boundary }.map(ChunkCodec.encode))
                await #expect(throws: Refusal.self) { try await writer.log.chunks(of: writer.partition, from: boundary - 1, events: 1) }
            }
        }

        @Test func `a prune leaves what others were merged into meanwhile`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 6, of: 2)
                var settings = writer.settings
                (settings.chunkEvents, settings.dedupeEvents) = (8, 1)
                // As if it had been found that the log may be pruned below 2 and 10 before: now 0..<8 is one document.
                #expect(try await LogMerge(writer.log).run(writer.partition, settings: settings) == 3)
                let refusal = await #expect(throws: Refusal.self) { try await writer.log.declare(writer.partition, prunedBelow: 2) }
                #expect(refusal?.problem == .noProgress)
                #expect(try await writer.log.prune(writer.partition, 0..<2)?.chunks == 0)
                #expect(try await Self.all(Reader(writer), page: 100).map(\.offset) == [0, 2, 4, 6, 8, 10])

                #expect(try await writer.log.declare(writer.partition, prunedBelow: 8) == 2)
                #expect(try await writer.log.prune(writer.partition, 0..<8)?.chunks == 3)
                #expect(try await Self.all(Reader(writer), from: 8, page: 100).map(\.offset) == [8, 10])
                // What a prune that was killed had left of a key goes with the key.
                let id: Document = ["_id": .document(ChunkCodec.id(writer.partition, 8))]
                let stored = try #require(try await mongo.documents("millrace.log", id).first)
                try await mongo.remove("millrace.log", id)
                let stub = try Document(bson: ChunkCodec.stub(of: stored, into: 0))
                _ = try await mongo.command(["insert": "millrace.log", "documents": [.document(stub)]])
                #expect(try await writer.log.erase("p-1", in: writer.partition).chunks == 1)
                #expect(try await mongo.documents("millrace.log", ["keys": "p-1"]).isEmpty)
            }
        }

        @Test func `what was merged into one that does not have it is damage, and never passed over`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 3, of: 5)
                // As it is found for a moment by whoever read the first one before.
                let id: Document = ["_id": .document(ChunkCodec.id(writer.partition, 5))]
                let stored = try #require(try await mongo.documents("millrace.log", id).first)
                try await mongo.remove("millrace.log", id)
                let stub = try Document(bson: ChunkCodec.stub(of: stored, into: 0))
                _ = try await mongo.command(["insert": "millrace.log", "documents": [.document(stub)]])
                let reader = Reader(writer)
                #expect(try await reader.log.chunks(of: reader.partition, from: 0, events: 100).map(\.offset) == [0])
                let calls: [(MongoLog) async throws -> Void] = [
                    { _ = try await $0.chunks(of: reader.partition, from: 5, events: 1) },
                    { _ = try await $0.chunks(of: reader.partition, from: 7, events: 100) },
                    { _ = try await $0.chunks(of: reader.partition, withKeys: ["p-1"], 5..<15) },
                    { _ = try await $0.digests(of: reader.partition, from: 0, below: 15) },
                    { _ = try await $0.digests(of: reader.partition, from: 5, below: 15) },
                ]
                for (number, call) in calls.enumerated() {
                    let refusal = await #expect(throws: Refusal.self, "\(number)") { try await call(reader.log) }
                    #expect(refusal?.problem == .logDamaged, "\(number)")
                }
            }
        }

        @Test(arguments: Seed.ofThisRun) func `whoever reads while chunks are merged finds each once`(seed: Seed) async throws {
            try await TestMongo.run { mongo in
                var random = Random(seed)
                var writer = LogWriter(try await mongo.log())
                let chunks = try await Self.write(&writer, 200, &random)
                let reader = Reader(writer)
                let other = LogMerge(try await mongo.log())
                var settings = writer.settings
                settings.dedupeEvents = 1
                let written = settings
                async let merged = {
                    var count: Int64 = 0
                    // In steps, so that there is something to be merged all the time.
                    for size in stride(from: 4, through: 200, by: 4) {
                        var settings = written
                        settings.chunkEvents = size
                        count += try await other.run(reader.partition, settings: settings)
                    }
                    return count
                }()
                for round in 0..<10 {
                    #expect(try await Self.all(reader, page: 50).map(\.offset) == chunks.map(\.offset), "\(seed), round \(round)")
                    let own = chunks.filter { $0.keys.contains("x") }.map(\.offset)
                    #expect(try await Self.withKeys(reader, ["x"], 0..<reader.end).map(\.offset) == own, "\(seed), round \(round)")
                    #expect(try await Self.digests(reader, from: 0) == chunks.map(\.offset), "\(seed), round \(round)")
                }
                #expect(try await merged > 150)
                try await Self.expectSame(chunks, reader, "at the end: \(seed)")
            }
        }

        @Test(arguments: Seed.ofThisRun) func `what is erased while chunks are merged stays erased, and nothing else goes`(seed: Seed) async throws {
            try await TestMongo.run { mongo in
                var random = Random(seed)
                var writer = LogWriter(try await mongo.log())
                var chunks = try await Self.write(&writer, 150, &random)
                let reader = Reader(writer)
                let erasing = MongoLog(connection: try mongo.connection(), database: mongo.database)
                var settings = writer.settings
                settings.dedupeEvents = 1
                for (round, key) in ["x", "z"].enumerated() {
                    let size = round == 0 ? 20 : 200
                    settings.chunkEvents = size
                    let written = settings
                    async let merged = LogMerge(reader.log).run(reader.partition, settings: written)
                    _ = try await erasing.erase(key, in: reader.partition)
                    _ = try await merged
                    for place in chunks.indices { _ = chunks[place].erase { [chunk = chunks[place]] in chunk.key(of: $0) == key } }
                    try await Self.expectSame(chunks, reader, "\(key), \(seed)")
                    #expect(try await mongo.documents("millrace.log", ["$or": [["keys": .string(key)], ["moreKeys": .string(key)]]]).isEmpty)
                }
            }
        }
    }
}
