import Fixtures
import Testing

@testable import Projector

/// Workers that die, one after the other, and what their successors make of it.
@Suite struct CrashHistoryTests {
    private static let build = CrashHistory.Stage.project(BuildID(model: "product", number: 1))

    /// A stage over some elements, worked on until it is through or nobody gets on.
    private struct Scene {
        var history = CrashHistory()
        var offset: Int64 = 0
        let end: Int64
        let killers: Set<Int64>
        var parked: [Int64] = []
        var deaths = 0

        init(end: Int64, killers: Set<Int64>) {
            self.end = end
            self.killers = killers
        }

        /// One worker: works until it dies, or `mercy` steps are done and somebody kills it. True when all is done.
        mutating func live(mercy: Int = .max) -> Bool {
            var steps = 0
            // Nothing more is pushed.
            history.rests(.ingest)
            while offset < end {
                guard steps < mercy else { return die() }
                steps += 1
                let most = Int(min(1000, end - offset))
                guard history.isCareful else {
                    // Nothing is written down: batches of the usual size.
                    if (offset..<offset + Int64(most)).contains(where: killers.contains) { return die() }
                    offset += Int64(most)
                    continue
                }
                switch history.step(of: build, at: offset, most: most) {
                case .park:
                    parked.append(offset)
                    offset += 1
                case .take(let count):
                    #expect(1...most ~= count)
                    history.attempt = .init(stage: build, offsets: offset..<offset + Int64(count))
                    if (offset..<offset + Int64(count)).contains(where: killers.contains) { return die() }
                    offset += Int64(count)
                }
                history.passed(build, to: offset)
            }
            return true
        }

        private mutating func die() -> Bool {
            deaths += 1
            history.holderDied(at: [build: offset, .ingest: end])
            return false
        }
    }

    @Test(arguments: Seed.ofThisRun) func `what kills is found and parked, and nothing else`(seed: Seed) {
        for round in 0..<300 {
            var random = Random(seed, round: round)
            let end = Int64(1 + random.below(5000))
            let killers = Set((0..<random.below(4)).map { _ in Int64(random.below(Int(end))) })
            var scene = Scene(end: end, killers: killers)
            while !scene.live(), scene.deaths < 1000 {}
            #expect(scene.parked == killers.sorted(), "round \(round)")
            // Three to become careful, one for each halving of a batch, three alone.
            #expect(scene.deaths <= killers.count * (3 + 11 + 3), "round \(round): \(scene.deaths) deaths for \(killers.count) of \(end)")
            #expect(scene.history.suspect == nil && !scene.history.isCareful)
        }
    }

    @Test(arguments: Seed.ofThisRun) func `workers that are killed by somebody else make nothing suspect that got through`(seed: Seed) {
        for round in 0..<300 {
            var random = Random(seed, round: round)
            var scene = Scene(end: Int64(1 + random.below(20_000)), killers: [])
            // Each at least gets one step done.
            while !scene.live(mercy: 1 + random.below(3)), scene.deaths < 10_000 {}
            #expect(scene.parked.isEmpty, "round \(round)")
        }
    }

    /// Killed before anything was begun, however often.
    @Test func `deaths without a step make careful, and park nothing`() {
        var history = CrashHistory()
        for death in 1...10 {
            history.holderDied(at: [Self.build: 5, .ingest: 9])
            #expect(history.isCareful == (death >= CrashHistory.patience))
            #expect(history.step(of: Self.build, at: 5, most: 7) == .take(7))
        }
        history.passed(.ingest, to: 10)
        #expect(history.isCareful)
        history.passed(Self.build, to: 6)
        #expect(!history.isCareful)
    }

    @Test func `one that takes effect before its worker dies is not suspect`() {
        var history = CrashHistory()
        for _ in 0..<3 { history.holderDied(at: [Self.build: 5]) }
        history.attempt = .init(stage: Self.build, offsets: 5..<6)
        history.holderDied(at: [Self.build: 6])
        #expect(history.suspect == nil && history.attempt == nil)
        // Nor one of another stage, or of a build that is gone.
        history.suspect = .init(attempt: .init(stage: Self.build, offsets: 5..<7), deaths: 1)
        #expect(history.step(of: .ingest, at: 5, most: 100) == .take(100))
        history.holderDied(at: [.ingest: 6])
        #expect(history.suspect == nil)
    }
}
