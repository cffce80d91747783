import Events
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    @Suite struct LogWindowTests {
        /// Where the window starts, in chunks of ten originals that are ten seconds apart: offsets 0, 10, … 50 and ages
        /// 0 s, 10 s, … 50 s.
        private func expect(_ starts: [(bounds: DedupeWindow.Bounds, offset: Int64)]) async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 6, of: 10, after: 10_000)
                let tail = try await writer.log.tail(of: writer.partition)
                for (bounds, offset) in starts {
                    #expect(try await writer.log.windowStart(of: writer.partition, tail: tail, bounds: bounds) == offset, "\(bounds)")
                }
            }
        }

        /// An id counts while at most so many originals lie between, so the chunk that ends there still matters.
        @Test func `the window reaches back by originals`() async throws {
            try await expect(
                [(1, 50), (9, 50), (10, 40), (25, 30), (59, 0), (1000, 0)].map { (.init(age: .max, originals: $0), $1) })
        }

        @Test func `the window reaches back by age`() async throws {
            try await expect([(0, 50), (9_999, 50), (10_000, 40), (35_000, 20), (50_000, 0)].map { (.init(age: $0, originals: 1000), $1) })
        }

        @Test func `after a resurrected segment, originals count at any age`() async throws {
            try await expect(
                [(0, 50), (10, 50), (11, 40), (35, 20), (60, 0)].map { (.init(age: 0, originals: 1, originalsAtAnyAge: $0), $1) })
        }

        @Test func `duplicates and undecodable elements take no place in the window`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 1, of: 10)
                try await writer.append((0..<10).map { event("\($0)") } + Array(repeating: "no json", count: 10))
                try await writer.append(chunks: 1, of: 10)
                let tail = try await writer.log.tail(of: writer.partition)
                #expect(tail.offset == 40 && tail.totals.originals == 20)
                #expect(try await writer.log.windowStart(of: writer.partition, tail: tail, bounds: .init(age: .max, originals: 5)) == 30)
                #expect(try await writer.log.windowStart(of: writer.partition, tail: tail, bounds: .init(age: .max, originals: 10)) == 0)
            }
        }

        @Test func `digests come in pages, from one offset and below another`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                try await writer.append(chunks: 20, of: 3)
                let (log, partition) = (writer.log, writer.partition)
                let whole = try await log.chunks(of: partition, from: 0, events: 1000)
                var pages: [[ChunkDigests]] = []
                var next: Int64 = 0
                while let last = try await log.digests(of: partition, from: next, below: 57).last.map({ $0.offset + Int64($0.count) }) {
                    pages.append(try await log.digests(of: partition, from: next, below: 57))
                    next = last
                }
                let read = pages.flatMap(\.self)
                #expect(pages.count > 1, "all of a window at once may be hundreds of megabytes")
                #expect(read.map(\.offset) == (0..<19).map { $0 * 3 })
                #expect(read.map(\.digests) == whole.dropLast().map(\.digests))
                #expect(read.map(\.age) == whole.dropLast().map(\.age))
                #expect(try await log.digests(of: partition, from: 27, below: 30).map(\.offset) == [27])
            }
        }

        @Test func `a segment's progress is its highest logged index, with its oversize elements`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                writer.settings.maxEventBytes = .kibibytes(1)
                let large = String(repeating: "x", count: 1025)
                #expect(try await writer.log.progress(of: writer.partition, segment: "segment-1") == SegmentProgress())
                try await writer.append([event("a"), large, event("a")])
                try await writer.append([large, event("b"), large])
                writer.place.segment = "segment-2"
                writer.place.index = 7
                try await writer.append([large])
                #expect(try await writer.log.progress(of: writer.partition, segment: "segment-1") == SegmentProgress(end: 6, oversize: [1, 3, 5]))
                #expect(try await writer.log.progress(of: writer.partition, segment: "segment-2") == SegmentProgress(end: 8, oversize: [7]))
                #expect(try await writer.log.progress(of: writer.partition, segment: "segment-3") == SegmentProgress())
            }
        }
    }
}
