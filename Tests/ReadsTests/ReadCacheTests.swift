import Events
import Models
import Projector
import ReadFixtures
import Testing
import Values

@testable import Reads

@Suite struct ReadCacheTests {
    private static let partition = ServersInMemory.partition
    private static let model = ServersInMemory.model
    private static let build = BuildID(model: "product", number: 1)
    private let start = ContinuousClock.now

    private static func cache(fields: [String]? = nil, maxAge: Duration = .seconds(60), maxBytes: Int = 1 << 20) -> ReadCache {
        ReadCache(CacheSettings(fields: fields.map { $0.compactMap { FieldPath($0) } }, maxAge: maxAge, maxBytes: ByteCount(maxBytes)), of: model)
    }

    private func view(_ offset: Int64, generation: Int64 = 1, number: Int = 1, clock: Int64 = 0, at time: ContinuousClock.Instant? = nil) -> ServerView {
        let build = BuildID(model: "product", number: number)
        var checkpoint = Checkpoint(build: build, partition: Self.partition)
        (checkpoint.offset, checkpoint.generation) = (offset, generation)
        return ServerView(
            live: ["product": build], revision: Int64(number), checkpoints: [checkpoint], ends: [Self.partition: offset], clock: clock,
            operationTime: OperationTime(seconds: 1, increment: 0), taken: time ?? .now)
    }

    private func document(_ id: String, offset: Int64 = 0, expires: Int64? = nil, size: Int = 10) throws -> ReadDocument {
        var fields: Document = ["text": .string(String(repeating: "x", count: size))]
        if let expires { fields.append(StoredDocument.expiryField, .date(expires)) }
        let stored = StoredDocument(key: id, position: DocumentPosition(partition: 0, offset: offset, time: 0), fields: fields)
        return try #require(try ReadDocument(RawDocument(stored.bson), now: .min))
    }

    private func time(_ seconds: UInt32) -> OperationTime { OperationTime(seconds: seconds, increment: 0) }

    /// Asks for an id until it would be kept, and gives it.
    private func fill(_ cache: ReadCache, _ document: ReadDocument, _ view: ServerView, at seconds: UInt32 = 1) {
        for _ in 0..<2 { _ = cache.find(document.id, at: .now) }
        cache.take([(document.id, document)], of: view.live["product"] ?? Self.build, by: view, after: time(seconds), at: time(seconds), isKept: true)
    }

    @Test func `what is asked for again is kept, and what is asked for once is not`() throws {
        let cache = Self.cache()
        #expect(cache.find("a", at: .now) == nil)
        cache.take([("a", try document("a"))], of: Self.build, by: view(5), after: time(1), at: time(1), isKept: true)
        #expect(cache.find("a", at: .now) == nil)
        cache.take([("a", try document("a"))], of: Self.build, by: view(5), after: time(1), at: time(1), isKept: true)
        let answer = try #require(cache.find("a", at: .now))
        #expect(answer.document?.id == "a" && answer.offset == 5 && answer.generation == 1 && !answer.isStale)
        #expect(cache.counts.hits == 1 && cache.counts.misses == 2 && cache.counts.bytes > 0)
    }

    @Test func `a scan over all keys does not grow it, and takes nothing from what is asked for often`() throws {
        let cache = Self.cache(maxBytes: 64 << 10)
        for id in 0..<50 { fill(cache, try document("hot-\(id)", size: 500), view(5)) }
        let before = cache.counts.bytes
        for id in 0..<50_000 {
            _ = cache.find("cold-\(id)", at: .now)
            cache.take([("cold-\(id)", try document("cold-\(id)", size: 500))], of: Self.build, by: view(5), after: time(1), at: time(1), isKept: true)
        }
        // A count can be too high by a collision.
        #expect(cache.counts.bytes <= before + before / 5 && cache.counts.bytes >= before)
        #expect((0..<50).count { cache.findStale("hot-\($0)") != nil } >= 45)
    }

    @Test func `it holds no more bytes than it may, and what is asked for oftener takes the place`() throws {
        let cache = Self.cache(maxBytes: 64 << 10)
        for id in 0..<500 { fill(cache, try document("id-\(id)", size: 1000), view(5)) }
        #expect(cache.counts.bytes <= 64 << 10 && cache.counts.bytes > 60 << 10)
        for _ in 0..<10 { _ = cache.find("often", at: .now) }
        fill(cache, try document("often", size: 1000), view(5))
        #expect(cache.findStale("often") != nil && cache.counts.bytes <= 64 << 10)
        // What is larger than all of it is not kept, and nothing goes for it.
        let full = cache.counts.bytes
        fill(cache, try document("huge", size: 100_000), view(5))
        #expect(cache.findStale("huge") == nil && cache.counts.bytes == full)
    }

    @Test func `what the log has events of goes, and the rest stays`() throws {
        let cache = Self.cache()
        for id in ["a", "b"] { fill(cache, try document(id), view(5)) }
        let parts = try #require(cache.behind(view(9)))
        #expect(parts.map(\.offsets) == [5..<9])
        cache.follow(to: view(9), changed: ["a", "z"])
        #expect(cache.find("a", at: .now) == nil)
        #expect(cache.find("b", at: .now)?.offset == 9)
        #expect(cache.behind(view(9))?.isEmpty == true)
        // Nobody knows what changed.
        cache.follow(to: view(12), changed: nil)
        #expect(cache.find("b", at: .now) == nil && cache.counts.bytes == 0)
    }

    @Test func `a repair or another build leaves nothing`() throws {
        for next in [view(5, generation: 2), view(5, number: 2)] {
            let cache = Self.cache()
            fill(cache, try document("a"), view(5))
            #expect(cache.behind(next) == nil)
            cache.follow(to: next, changed: nil)
            #expect(cache.findStale("a") == nil)
        }
    }

    @Test func `a server that is behind tells nothing`() throws {
        let cache = Self.cache()
        fill(cache, try document("a"), view(5))
        cache.follow(to: view(9), changed: [])
        cache.follow(to: view(7), changed: nil)
        #expect(cache.find("a", at: .now)?.offset == 9)
        // What it says of a document may lack what is between.
        fill(cache, try document("b"), view(7), at: 2)
        #expect(cache.findStale("b") == nil)
        fill(cache, try document("b"), view(9), at: 2)
        #expect(cache.findStale("b") != nil)
    }

    @Test func `nobody is told something older than what somebody was told`() throws {
        let cache = Self.cache()
        fill(cache, try document("a", offset: 1), view(5))
        // By a page, or from the primary.
        cache.take([("a", try document("a", offset: 6))], of: Self.build, by: view(5), after: time(3), at: time(3), isKept: false)
        #expect(cache.find("a", at: .now) == nil)
        // A read that began before, and ends after.
        fill(cache, try document("a", offset: 1), view(5), at: 2)
        #expect(cache.findStale("a") == nil)
        fill(cache, try document("a", offset: 6), view(5), at: 3)
        #expect(cache.find("a", at: .now)?.document?.position.offset == 6)
        cache.take([("a", nil)], of: Self.build, by: view(5), after: time(4), at: time(4), isKept: false)
        #expect(cache.findStale("a") == nil)
    }

    @Test func `a repair that was told is not undone by what was kept`() throws {
        let cache = Self.cache()
        fill(cache, try document("a", offset: 1), view(5))
        // The same position, as a repair leaves it, from a server that knows of it.
        cache.take([("a", try document("a", offset: 1, size: 20))], of: Self.build, by: view(5, generation: 2), after: time(1), at: time(2), isKept: true)
        #expect(cache.find("a", at: .now) == nil)
        // A read that was over later than another began before it, and does not hold what that one told.
        fill(cache, try document("b"), view(5), at: 2)
        cache.take([("b", nil)], of: Self.build, by: view(5), after: time(2), at: time(7), isKept: false)
        cache.take([("b", try document("b"))], of: Self.build, by: view(5), after: time(6), at: time(8), isKept: true)
        #expect(cache.findStale("b") == nil)
    }

    @Test func `what is not known to be so now is no answer, but marked when there is no other`() throws {
        let cache = Self.cache(maxAge: .seconds(10))
        fill(cache, try document("a"), view(5))
        #expect(cache.find("a", at: .now) != nil)
        #expect(cache.find("a", at: .now + .milliseconds(900)) == nil, "nobody has looked at the checkpoints")
        #expect(cache.findStale("a")?.isStale == true && cache.counts.stale == 1)
        cache.follow(to: view(5, at: .now + .seconds(11)), changed: [])
        #expect(cache.find("a", at: .now + .seconds(11)) == nil, "it is too old")
    }

    @Test func `what expires is gone at its time`() throws {
        let cache = Self.cache()
        fill(cache, try document("a", expires: 5_000), view(5, clock: 1_000))
        #expect(cache.find("a", at: .now) != nil)
        cache.follow(to: view(5, clock: 5_000), changed: [])
        #expect(cache.find("a", at: .now) == nil && cache.findStale("a") == nil)
    }

    @Test func `it answers what it has all fields for`() {
        let summaries = Self.cache(fields: ["name", "price.amount"])
        #expect(summaries.names == ["name", "price"])
        #expect(summaries.covers(["name"]) && summaries.covers(["price.currency", "_id"]) && !summaries.covers(["stock"]) && !summaries.covers(nil))
        #expect(Self.cache().covers(nil) && Self.cache().covers(["stock"]))
    }
}

@Suite struct FrequencySketchTests {
    @Test func `it counts, never too little, and forgets`() {
        var sketch = FrequencySketch(capacity: 100)
        for id in 0..<300 { for _ in 0..<(id % 3) { sketch.add("\(id)") } }
        #expect((0..<300).allSatisfy { sketch.count("\($0)") >= $0 % 3 })
        #expect((0..<300).count { sketch.count("\($0)") > $0 % 3 } < 5)
        for id in 0..<20_000 { sketch.add("other-\(id)") }
        #expect((0..<300).count { sketch.count("\($0)") > 0 } < 30)
    }
}
