import EventFixtures
import Events
import Testing

@testable import Projector

@Suite struct BatchSizeTests {
    private func page(_ count: Int, bytes: Int) -> RawElements { RawElements((0..<count).map { _ in String(repeating: "x", count: bytes) }) }

    @Test func `reading starts small, grows by steps, and stays near a chunk's bytes`() {
        var size = ReadSize(most: 5000, bytes: ByteCount(100_000))
        #expect(size.count == 64)
        size.learn(page(64, bytes: 10))
        #expect(size.count == 512)
        size.learn(page(512, bytes: 10))
        #expect(size.count == 4096)
        size.learn(page(4096, bytes: 10))
        // 10,000 would fit; a chunk holds no more events.
        #expect(size.count == 5000)
        size.learn(page(100, bytes: 200))
        #expect(size.count == 500)
        size.learn(page(2, bytes: 1_000_000))
        #expect(size.count == 1)
        size.learn(page(1, bytes: 10))
        #expect(size.count == 8)
        size.learn(page(8, bytes: 0))
        #expect(size.count == 64)
        size.learn(RawElements())
        #expect(size.count == 512)
    }

    @Test func `an element whose head was read counts with all its bytes`() {
        var size = ReadSize(most: 5000, bytes: .mebibytes(4))
        size.learn(RawElements([String(repeating: "x", count: 2 << 20)], limit: .kibibytes(64)))
        #expect(size.count <= 2)
    }

    @Test func `the same batch halves with every third failure`() {
        var failures = BatchFailures()
        #expect(failures.limit(100) == 100)
        for (number, expected) in [100, 100, 50, 50, 50, 25, 25, 25, 12].enumerated() {
            failures.count(at: 7, events: failures.limit(100))
            #expect(failures.limit(100) == expected, "after failure \(number + 1)")
        }
        // Another batch has its own luck.
        for _ in 0..<2 { failures.count(at: 8, events: 12) }
        #expect(failures.limit(100) == 12)
        failures.succeeded()
        for _ in 0..<2 { failures.count(at: 8, events: 12) }
        #expect(failures.limit(100) == 12)
    }

    /// Each batch once began again at the full size, and failed as often as the first.
    @Test func `the batches after one that was halved are as small, and grow again as they go well`() {
        var failures = BatchFailures()
        for _ in 0..<6 { failures.count(at: 0, events: failures.limit(100)) }
        #expect(failures.limit(100) == 25)
        for (batches, expected) in [(7, 25), (1, 50), (7, 50), (1, 100), (600, 100)] {
            for _ in 0..<batches { failures.succeeded() }
            #expect(failures.limit(100) == expected, "after \(batches) more")
        }
        // What goes well in between does not add up.
        for _ in 0..<3 { failures.count(at: 9, events: failures.limit(100)) }
        for _ in 0..<20 {
            for _ in 0..<7 { failures.succeeded() }
            failures.count(at: 9, events: 50)
        }
        #expect(failures.limit(100) == 50)
    }

    @Test func `a batch that fails for good ends at one event`() {
        var failures = BatchFailures()
        for _ in 0..<60 { failures.count(at: 0, events: failures.limit(20_000)) }
        #expect(failures.limit(20_000) == 1)
    }

    @Test func `a batch counts events and bytes of its chunks`() {
        var settings = TestLog.settings
        settings.chunkEvents = 2
        let chunks = TestLog(settings: settings).append([EventText("1").json, EventText("1").json, "rubbish"])
        var batch = IngestBatch()
        for chunk in chunks { batch.append(chunk) }
        #expect(batch.chunks.count == 2 && batch.events == 3)
        #expect(batch.bytes == EventText("1").json.utf8.count + "rubbish".utf8.count)
    }
}
