import Foundation

/// The seed of a run's random tests: `MILLRACE_SEED`, or one that is chosen anew and printed once, so that even a crash
/// can be repeated. Tests take it as an argument, which every failure then shows.
public struct Seed: Sendable, CustomStringConvertible {
    public let value: UInt64

    public init(value: UInt64) { self.value = value }

    /// The arguments of a random test.
    public static let ofThisRun: [Seed] = {
        if let text = ProcessInfo.processInfo.environment["MILLRACE_SEED"], let value = UInt64(text) { return [Seed(value: value)] }
        let seed = Seed(value: UInt64.random(in: 0..<1_000_000_000))
        FileHandle.standardError.write(Data("\(seed)\n".utf8))
        return [seed]
    }()

    /// The arguments of a random test against real servers, whose corners no case of an earlier run need have met: so that
    /// a change is judged by itself, short runs all have the same cases, and long ones look for new ones.
    public static let steady: [Seed] = {
        let environment = ProcessInfo.processInfo.environment
        return environment["MILLRACE_SEED"] != nil || environment["MILLRACE_LONG"] == "1" ? ofThisRun : [Seed(value: 21)]
    }()

    public var description: String { "MILLRACE_SEED=\(value)" }

    /// Another seed for each name, the same in every run.
    public func mixed(with name: String) -> Seed {
        // FNV-1a, 64 bits.
        Seed(value: name.utf8.reduce(value ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 })
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same numbers from the same seed, everywhere.
public struct Random: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Rounds of one test are told apart by their number, so that a failing one can be repeated alone.
    public init(_ seed: Seed, round: Int = 0) { state = seed.value &+ UInt64(truncatingIfNeeded: round) &* 0xD1B5_4A32_D192_ED03 }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A number from 0 to `limit` - 1.
    public mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    /// True once in `times`.
    public mutating func once(in times: Int) -> Bool { below(times) == 0 }

    /// One of a list that is not empty.
    public mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}
