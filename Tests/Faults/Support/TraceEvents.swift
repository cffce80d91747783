import Fixtures
import Foundation

/// Events for the model of Tests/Faults/config without end, as Tests/oracle/producer.py makes them: amounts that widen
/// sums to int64 and to double, and now and then a removal.
struct TraceEvents {
    private var random: Random
    private let keys: Int
    private let prefix: String
    private var number = 0

    init(_ seed: Seed, round: Int = 0, keys: Int = 40) {
        random = Random(seed, round: round)
        self.keys = keys
        // Ids and keys of two generators never meet.
        prefix = "\(round)-\(UUID().uuidString.prefix(8).lowercased())"
    }

    /// With the seed of this run.
    init(keys: Int = 40) throws {
        guard let seed = Seed.ofThisRun.first else { throw Failure("no seed") }
        self.init(seed, keys: keys)
    }

    mutating func next() -> String {
        defer { number += 1 }
        let amount =
            switch random.below(20) {
            case 0: String(random.below(1 << 40) + (1 << 31))
            case 1...3: String(Double(random.below(20_000) - 10_000) / 100)
            default: String(random.below(25) - 5)
            }
        let type = random.once(in: 100) ? "removed" : "counted"
        let tag = random.pick(["red", "green", "blue", "gold"])
        let time = "10:\(10 + number / 50_000 % 50):\(10 + number / 1000 % 50).\(100 + number % 900)"
        return """
            {"eventId":"\(prefix)-\(number)","eventType":"\(type)","key":"k-\(random.below(keys))","occurredAt":"2026-11-20T\(time)Z",\
            "data":{"amount":\(amount),"seq":\(number),"tag":"\(tag)"}}
            """
    }

    mutating func next(_ count: Int) -> [[UInt8]] { (0..<count).map { _ in Array(next().utf8) } }
}
