import Fixtures
import Testing
import Values

@testable import Projector

@Suite struct DocumentCacheTests {
    /// What an entry costs beside its bytes.
    private static let overhead = 160

    @Test(arguments: Seed.ofThisRun) func `never stale, bounded by bytes, and what was used last is there`(seed: Seed) {
        for round in 0..<40 {
            var random = Random(seed, round: round)
            let limit = random.pick([0, 1000, 5000, 20_000])
            let largest = 1 + random.below(600)
            // Without removals, and each entry always of one size, it is also known what must be there.
            let isSteady = random.once(in: 2)
            var cache = DocumentCache(limit: limit)
            var truth: [ExactString: [UInt8]] = [:]
            var used: [ExactString] = []
            for step in 0..<400 {
                let key = ExactString("key-\(random.below(60))")
                switch random.below(5) {
                case 0...2:
                    let found = cache[key]
                    #expect(found == nil || found == truth[key], "round \(round), step \(step)")
                    if found == nil { continue }
                case 3:
                    truth[key] = [UInt8](
                        repeating: UInt8(step % 256), count: isSteady ? key.text.utf8.reduce(0) { $0 &* 31 &+ Int($1) } % largest : random.below(largest))
                    cache[key] = truth[key]
                default:
                    if isSteady { continue }
                    truth[key] = nil
                    cache[key] = nil
                }
                used.removeAll { $0 == key }
                used.append(key)
                // A look changes the cache: so only a copy is looked at.
                func has(_ key: ExactString) -> Bool {
                    var copy = cache
                    return copy[key] != nil
                }
                func cost(_ key: ExactString) -> Int { (truth[key]?.count ?? 0) + Self.overhead }
                #expect(truth.keys.filter(has).map(cost).reduce(0, +) <= limit + largest + Self.overhead, "round \(round), step \(step)")
                guard isSteady else { continue }
                var recent = 0
                for key in used.reversed() {
                    recent += cost(key)
                    guard recent <= limit / 2 else { break }
                    #expect(has(key), "round \(round), step \(step)")
                }
            }
            cache.removeAll()
            #expect(truth.keys.allSatisfy { cache[$0] == nil })
        }
    }

    @Test func `keys that only look alike are two entries`() {
        var cache = DocumentCache(limit: 10_000)
        let (composed, decomposed) = (ExactString("é"), ExactString("e\u{301}"))
        cache[composed] = [1]
        cache[decomposed] = [2]
        #expect(cache[composed] == [1] && cache[decomposed] == [2])
    }
}
