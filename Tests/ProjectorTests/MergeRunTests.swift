import Testing

@testable import Projector

/// Which documents of the log are merged.
@Suite struct MergeRunTests {
    private static func run(_ counts: [Int], most: Int = 100) -> Range<Int64>? {
        var offset: Int64 = 0
        let sizes = counts.map { count in
            defer { offset += Int64(count) }
            return ChunkSize(offset: offset, count: count)
        }
        return LogMerge.run(in: sizes, most: most)
    }

    @Test func `the first small ones in a row, up to a chunk's size`() {
        #expect(Self.run([]) == nil)
        #expect(Self.run([10]) == nil)
        #expect(Self.run([10, 20]) == 0..<30)
        #expect(Self.run([100, 10, 20, 100]) == 100..<130)
        #expect(Self.run([40, 40, 40, 40]) == 0..<80)
        #expect(Self.run([30, 100, 30, 100, 30, 31]) == 260..<321)
    }

    @Test func `one that is half full already is left as it is`() {
        #expect(Self.run([51, 10]) == nil)
        #expect(Self.run([10, 51, 10]) == nil)
        #expect(Self.run([50, 10]) == 0..<60)
        #expect(Self.run([51, 50, 50]) == 51..<151)
        // One that does not fit begins the next run.
        #expect(Self.run([50, 49, 2, 3]) == 0..<99)
    }

    @Test func `no document gets more parts than it can carry`() {
        #expect(Self.run(Array(repeating: 1, count: 3000), most: 10_000) == 0..<Int64(LogMerge.mostChunks))
        // Those that were merged before count as what they hold.
        let sizes = [600, 500, 500].enumerated().map { ChunkSize(offset: Int64($0), count: 1, chunks: $1) }
        #expect(LogMerge.run(in: sizes, most: 10_000) == 1..<3)
    }
}
