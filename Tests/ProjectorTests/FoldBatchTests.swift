import EventFixtures
import Events
import Fixtures
import Models
import Testing
import Values

@testable import Projector

/// The fold must not know how the log is cut: into chunks, and into batches of whatever size.
@Suite struct FoldBatchTests {
    private struct Result: Equatable {
        var documents: [ExactString: StoredDocument] = [:]
        var totals = ProjectionTotals()
        var deadLetters: [DeadLetter] = []
    }

    private static let build = Commerce.product
    private static let fold = Commerce.productFold

    /// Folds a log batch by batch, each onto what the one before has left.
    private static func result(_ chunks: [DecodedChunk], _ limits: FoldBatch.Limits, documentsLoaded: Int = .max, isParsed: Bool = true) -> Result {
        let sources = chunks.map { isParsed ? FoldBatch.Source.parsed($0) : .logged($0.chunk) }
        var result = Result()
        var offset = chunks[0].chunk.offset
        while offset < chunks[chunks.count - 1].chunk.end {
            var batch = FoldBatch(sources, from: offset, fold: fold, limits: limits)
            #expect(batch.elements.count <= limits.events && batch.slots.count <= limits.documents)
            batch.truncate(documents: documentsLoaded)
            #expect(batch.start == offset && batch.end == offset + Int64(batch.elements.count))
            guard batch.end > offset else {
                Issue.record("the batch at \(offset) takes nothing")
                return result
            }
            for slot in batch.slots.indices {
                #expect(batch.place(of: batch.slots[slot].key.text) == slot)
                if let stored = result.documents[batch.slots[slot].key] { batch.slots[slot].load(stored, bytes: stored.bson.count) }
            }
            let outcome = batch.fold(fold, build: build, after: .init(totals: result.totals))
            batch.encode()
            for slot in batch.slots { result.documents[slot.key] = slot.after }
            result.totals = outcome.totals
            result.deadLetters += outcome.deadLetters
            offset = batch.end
        }
        return result
    }

    private static func chunks(_ texts: [String], chunkEvents: Int) -> [DecodedChunk] {
        var settings = TestLog.settings
        settings.chunkEvents = chunkEvents
        return TestLog(settings: settings).append(texts)
    }

    @Test(arguments: Seed.ofThisRun) func `documents, positions, totals and dead letters are the same for batches of every size`(seed: Seed) {
        for round in 0..<8 {
            var random = Random(seed, round: round)
            let texts = random.texts(50, types: Commerce.types)
            let whole = Self.result(Self.chunks(texts, chunkEvents: 1000), .init(events: 1000, documents: 1000))
            #expect(whole.totals.logged + whole.totals.duplicates == 50)
            #expect(whole.totals.logged == whole.totals.applied + whole.totals.ignored + whole.totals.parked)
            let chunks = Self.chunks(texts, chunkEvents: 1 + random.below(12))
            for size in 1...51 {
                #expect(Self.result(chunks, .init(events: size, documents: 1000)) == whole, "round \(round), batches of \(size)")
                #expect(
                    Self.result(chunks, .init(events: 51, documents: size), isParsed: false) == whole,
                    "round \(round), \(size) documents")
                #expect(Self.result(chunks, .init(events: 51, documents: 1000), documentsLoaded: size) == whole, "round \(round), truncated to \(size)")
            }
        }
    }

    @Test(arguments: Seed.ofThisRun) func `the history of a key is what the batch makes of it, at every offset`(seed: Seed) {
        for round in 0..<6 {
            var random = Random(seed, round: round)
            let texts = random.texts(40, types: Commerce.types)
            let chunks = Self.chunks(texts, chunkEvents: 1 + random.below(12))
            let keys = Random.keys.shuffled(using: &random).prefix(1 + random.below(Random.keys.count))
            let wanted = Set(keys.map { ExactString($0) })
            // Goes on from where it stood; the others begin anew.
            var history = KeyHistory(of: keys, build: Self.build, fold: Self.fold)
            var letters: [DeadLetter] = []
            for end in 1...40 {
                let log = Self.chunks(Array(texts[..<end]), chunkEvents: 1000)
                let whole = Self.result(log, .init(events: 1000, documents: 1000))
                var fresh = KeyHistory(of: keys, build: Self.build, fold: Self.fold)
                for chunk in chunks {
                    letters += history.take(chunk, below: Int64(end))
                    fresh.take(chunk, below: Int64(end))
                }
                for key in Random.keys {
                    let expected = wanted.contains(ExactString(key)) ? whole.documents[ExactString(key)] : nil
                    #expect(history.document(of: key) == expected && fresh.document(of: key) == expected, "round \(round), \(key) below \(end)")
                }
                let ofKeys = whole.deadLetters.filter { $0.build != nil && wanted.contains(ExactString($0.key ?? "")) }
                #expect(letters == ofKeys, "round \(round), below \(end)")
                #expect(fresh.totals == history.totals && history.totals.parked == Int64(ofKeys.count))
            }
        }
    }

    @Test func `what was decided about an event holds, whatever the fold says of it`() {
        let texts = ["created", "copied", "created", "rubbish", "created"].enumerated().map {
            $1 == "rubbish" ? $1 : EventText("\($0)", $1, key: "a", data: .int32(Int32($0))).json
        }
        let chunks = Self.chunks(texts, chunkEvents: 2)
        let decisions: [Int64: Decision] = [0: .dropped, 1: .dropped, 2: .crashParked, 3: .dropped]
        var batch = FoldBatch(chunks.map { .parsed($0) }, from: 0, fold: Self.fold, limits: .init(events: 10, documents: 10), decisions: decisions)
        let outcome = batch.fold(Self.fold, build: Self.build, after: .init(totals: ProjectionTotals()))
        #expect([outcome.totals.logged, outcome.totals.applied, outcome.totals.ignored, outcome.totals.parked] == [5, 1, 3, 1])
        #expect(outcome.deadLetters.map(\.offset) == [2] && outcome.deadLetters.map(\.decision) == [.crashParked])
        #expect(batch.slots[0].after?.fields == ["first": 4, "n": 1])

        var history = KeyHistory(of: ["a"], build: Self.build, fold: Self.fold, decisions: decisions)
        for chunk in chunks { history.take(chunk) }
        #expect(history.document(of: "a") == batch.slots[0].after)
    }

    @Test func `a batch of no events, and a history of none`() {
        let chunks = Self.chunks([EventText("1", "created", key: "a").json], chunkEvents: 1)
        for (key, end) in [("a", 0), ("b", 10)] as [(String, Int64)] {
            var history = KeyHistory(of: [key], build: Self.build, fold: Self.fold)
            history.take(chunks[0], below: end)
            #expect(history.document(of: "a") == nil && history.document(of: "b") == nil && history.totals == ProjectionTotals())
        }
        #expect(FoldBatch(chunks.map { .parsed($0) }, from: 1, fold: Self.fold, limits: .init(events: 9, documents: 9)).elements.isEmpty)
    }

    @Test func `truncation ends the batch before the first element of a document that is not loaded`() {
        let keys = ["a", "b", "a", "rubbish", "c", "a", "b"]
        let texts = keys.enumerated().map { $1 == "rubbish" ? "rubbish" : EventText("\($0)", "created", key: .string($1)).json }
        let chunks = Self.chunks(texts, chunkEvents: 3)
        for (documents, end, slots) in [(1, 1, ["a"]), (2, 4, ["a", "b"]), (3, 7, ["a", "b", "c"]), (9, 7, ["a", "b", "c"])] as [(Int, Int64, [String])] {
            var batch = FoldBatch(chunks.map { .parsed($0) }, from: 0, fold: Self.fold, limits: .init(events: 100, documents: 100))
            batch.truncate(documents: documents)
            #expect(batch.end == end)
            #expect(batch.slots.map(\.key.text) == slots)
            #expect(batch.place(of: "c") == (slots.contains("c") ? 2 : nil))
        }
    }

    /// Swift's `String` would make them one document.
    @Test func `keys that only look alike are two documents`() {
        let texts = ["é", "e\u{301}", "é"].enumerated().map { EventText("\($0)", "created", key: .string($1)).json }
        let documents = Self.result(Self.chunks(texts, chunkEvents: 10), .init(events: 10, documents: 10)).documents
        #expect(documents[ExactString("é")]?.fields["n"] == 2)
        #expect(documents[ExactString("e\u{301}")]?.fields["n"] == 1)
    }

    @Test func `a parked event leaves document and position, and its letter says where it lies`() throws {
        let texts = [
            EventText("1", "created", key: "a", data: 1, occurredAt: "1970-01-01T00:00:01Z").json, EventText("2", "copied", key: "a").json, "{",
            EventText("3", "unknown", key: "a").json,
        ]
        let result = Self.result(Self.chunks(texts, chunkEvents: 2), .init(events: 10, documents: 10))
        #expect(
            result.documents[ExactString("a")] == StoredDocument(key: "a", position: .init(partition: 0, offset: 0, time: 1000), fields: ["first": 1, "n": 1]))
        #expect(result.deadLetters.map(\.offset) == [1, 2])
        #expect(result.deadLetters.map(\.build) == [Self.build, nil])
        #expect(result.deadLetters.map(\.refusal.problem) == [.missingValue, Problem(rawValue: "bad-json")])
        #expect(result.deadLetters.map(\.key) == ["a", nil] && result.deadLetters.map(\.type) == ["copied", nil])
        #expect(result.deadLetters.map(\.at) == [1_000_000, 1_000_000])
    }

    @Test func `only a change moves the position, and the time of logging stands in for one that is missing`() throws {
        let created = EventText("1", "created", key: "a", data: 1, occurredAt: "1970-01-01T00:00:01Z").json
        let still = FoldBatchTests.chunks([created, EventText("2", "idle", key: "a").json, EventText("3", "unset", key: "b").json], chunkEvents: 10)
        let fold = EffectFold([
            "created": [Effect([.set(FieldPath(["x"]), .literal(.init(1)))])], "idle": [Effect([.set(FieldPath(["x"]), .literal(.init(1)))])],
            "unset": [Effect([.unset(FieldPath(["x"]))])],
        ])
        var batch = FoldBatch(still.map { .parsed($0) }, from: 0, fold: fold, limits: .init(events: 10, documents: 10))
        _ = batch.fold(fold, build: Self.build, after: .init(totals: ProjectionTotals()))
        #expect(batch.slots[0].after?.position == DocumentPosition(partition: 0, offset: 0, time: 1000))
        #expect(batch.slots[1].after?.position == DocumentPosition(partition: 0, offset: 2, time: 1_000_000))
    }
}
