import Fixtures
import Foundation
import Synchronization
import Testing

/// Rules of the protocol that no list of cases would prove: any number of workers, every order of their calls, failures,
/// crashes and interventions, from seeds. A seed that fails is printed; `MILLRACE_SIMULATION_SEED=n` plays that one alone
/// and prints its trace.
@Suite struct SimulationTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let count = environment["MILLRACE_LONG"] == nil ? 2000 : 100_000
    private static let wanted = environment["MILLRACE_SIMULATION_SEED"].flatMap(UInt64.init)

    /// Seeds of a run follow from its own, so that each run plays others.
    private static func seeds(_ run: Seed) -> [UInt64] { wanted.map { [$0] } ?? (0..<UInt64(count)).map { run.value &* 1_000_000 &+ $0 } }

    @Test(arguments: Seed.ofThisRun) func `every run ends as promised`(seed: Seed) async throws {
        let began = ContinuousClock.now
        let results = await Self.play(Self.seeds(seed)) { Simulation.run($0, isTraced: Self.wanted != nil) }
        for (seed, outcome) in results where !outcome.findings.isEmpty {
            if Self.wanted != nil { print(outcome.trace.joined(separator: "\n")) }
            Issue.record("MILLRACE_SIMULATION_SEED=\(seed): \(outcome.findings.joined(separator: "; "))")
        }
        let turns = results.reduce(0) { $0 + $1.outcome.turns }
        let seconds = Int((ContinuousClock.now - began) / .seconds(1))
        Self.tally("\(results.count) runs of the protocol, \(turns) calls, in \(seconds) s (\(seed))")
    }

    @Test(arguments: Seed.ofThisRun) func `a seed plays the same again`(seed: Seed) async throws {
        let seeds = Self.seeds(seed).prefix(20)
        let first = await Self.play(Array(seeds)) { Simulation.run($0, isTraced: true) }
        let second = await Self.play(seeds.reversed()) { Simulation.run($0, isTraced: true) }
        for (seed, outcome) in first {
            let again = second.first { $0.0 == seed }?.outcome.trace ?? []
            let turn = zip(outcome.trace, again).enumerated().first { $1.0 != $1.1 }
            #expect(again == outcome.trace && outcome.trace.count > 20, "MILLRACE_SIMULATION_SEED=\(seed), from here on: \(turn.debugDescription)")
        }
    }

    /// So many runs find any mistake.
    private static let enough: UInt64 = 10_000

    @Test func `every mistake in the protocol is found`() async {
        let found = await Self.play(Mistake.allCases) { mistake -> (run: UInt64, finding: String)? in
            for run in 0..<Self.enough {
                if let finding = Simulation.run(run, mistake: mistake).findings.first { return (run, finding) }
            }
            return nil
        }
        for (mistake, outcome) in found {
            guard let (run, finding) = outcome else {
                Issue.record("\(mistake) is not found in \(Self.enough) runs")
                continue
            }
            Self.tally("\(mistake) is found by run \(run): \(finding)")
        }
    }

    private static func tally(_ line: String) { FileHandle.standardError.write(Data("simulation: \(line)\n".utf8)) }

    /// Plays on a thread for each core, and returns what came of it in the order of the arguments.
    private static func play<Argument: Sendable, Outcome: Sendable>(
        _ arguments: [Argument], _ run: @escaping @Sendable (Argument) -> Outcome
    ) async -> [(Argument, outcome: Outcome)] {
        let state = Mutex<(next: Int, outcomes: [Int: Outcome])>((0, [:]))
        await withCheckedContinuation { continuation in
            for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
                Thread.detachNewThread {
                    while true {
                        let next = state.withLock { state in
                            defer { state.next += 1 }
                            return state.next
                        }
                        guard next < arguments.count else { return }
                        let outcome = run(arguments[next])
                        let isLast = state.withLock { state in
                            state.outcomes[next] = outcome
                            return state.outcomes.count == arguments.count
                        }
                        if isLast { continuation.resume() }
                    }
                }
            }
        }
        let outcomes = state.withLock { $0.outcomes }
        return arguments.indices.compactMap { place in outcomes[place].map { (arguments[place], $0) } }
    }
}
