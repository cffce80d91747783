import Fixtures
import Foundation
import Testing

/// Every kind of fault strikes while events flow, alone and in pairs, and the oracle compares after each; in a short run
/// after a few. Not among `Faults`: the servers are its own, and both wait far more than they work.
@Suite(.serialized, .onStage) struct FaultKindTests {
    @Test(arguments: FaultSelection.ofThisRun.acts)
    func `nothing is lost, doubled or out of order, and events flow again after`(act: FaultSelection.Act) async throws {
        let stage = try OnStage.current
        let seed = try #require(Seed.steady.first)
        let tally = FaultTally()
        for number in act.rounds {
            let round = Round(steps: act.steps, number: number, seed: seed)
            do {
                do {
                    try await round.play(on: stage, tally)
                } catch {
                    if Root.isLong { throw error }
                    // What a busy machine keeps from happening in time may happen in a second round. What the oracle
                    // has found against the events is recorded already, and stands.
                    FaultTests.tally("played again: \(error)")
                    try await round.play(on: stage, tally)
                }
            } catch {
                // The others are played all the same.
                Issue.record("\(error)")
            }
        }
    }

    @Test func `every kind of fault has a name of its own`() {
        #expect(Set(Fault.all.map(\.name)).count == Fault.all.count)
    }
}
