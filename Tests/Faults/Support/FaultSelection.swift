import Fixtures
import Foundation
import Testing

/// Which faults are played, and how often: `MILLRACE_FAULTS_ONLY` (names, groups or beginnings of names, and `pairs`,
/// separated by commas) and `MILLRACE_FAULTS_ROUNDS`.
struct FaultSelection: Sendable {
    /// So many rounds of one or more faults.
    struct Act: Sendable, CustomTestStringConvertible {
        var steps: [[Fault]]
        var rounds: Range<Int>

        var testDescription: String { steps.map(Round.name).joined(separator: ", ") + (rounds.count > 1 ? ", \(rounds.count) rounds" : "") }
    }

    /// For each round of every kind.
    private static let pairsPerRound = 5
    /// Faults that share their workers and their events in a short run, where starting them takes most of the time.
    private static let shared = 6

    var only: [String]
    var rounds: Int
    /// Each fault has a round of its own.
    var isThorough: Bool

    static let ofThisRun: FaultSelection = {
        let environment = ProcessInfo.processInfo.environment
        let only = (environment["MILLRACE_FAULTS_ONLY"] ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let rounds = environment["MILLRACE_FAULTS_ROUNDS"].flatMap { Int($0) }
        return FaultSelection(only: only, rounds: rounds ?? (Root.isLong ? 20 : 1), isThorough: Root.isLong || !only.isEmpty || rounds != nil)
    }()

    func chooses(_ name: String) -> Bool { only.isEmpty || only.contains { name.hasPrefix($0) } }

    var acts: [Act] {
        guard let seed = Seed.steady.first else { return [] }
        // Rounds of a fault that has variants play them in turn: a long run others than the one before.
        let first = Int(seed.value % 1000)
        return series.map { Act(steps: $0.map { [$0] }, rounds: first..<(first + rounds)) } + pairs(seed)
    }

    /// Faults of one group, one after the other.
    private var series: [[Fault]] {
        Fault.Group.allCases.flatMap { group in
            let faults = Fault.all.filter { $0.group == group && chooses($0.name) && (isThorough || !$0.isLong) }
            let length = isThorough ? 1 : Self.shared
            return stride(from: 0, to: faults.count, by: length).map { Array(faults[$0..<min(faults.count, $0 + length)]) }
        }
    }

    /// Two at once, at random.
    private func pairs(_ seed: Seed) -> [Act] {
        guard chooses("pairs") else { return [] }
        var random = Random(seed)
        let combinable = Fault.all.filter { $0.isCombinable && !$0.isLong }
        return (0..<(rounds * Self.pairsPerRound)).map { number in
            let one = random.pick(combinable)
            let other = random.pick(combinable.filter { $0.name != one.name })
            return Act(steps: [[one, other]], rounds: number..<(number + 1))
        }
    }
}
