import Fixtures
import Testing
import Values

/// Random documents, effects and events, folded here and carried out by a real mongod: documents must come out the same,
/// number types included, and what mongod refuses must be parked.
@Suite struct DifferentialTests {
    private static let pairs = 20_480

    @Test(arguments: Seed.steady) func `update operators do what mongod does`(seed: Seed) async throws {
        let pairs = Self.pairs(seed)
        let judge = try Judge()
        let verdicts = try await judge.verdicts(pairs)
        try await judge.close()
        let prepared = Prepared(pairs)
        let answers = prepared.answers(pairs)

        var coverage = Coverage()
        var tally = (accepted: 0, parked: 0, unreadable: 0)
        for (number, pair) in pairs.enumerated() {
            coverage.add(pair)
            switch (verdicts[number], answers[number]) {
            case (.accepted, _): tally.accepted += 1
            case (.refused, .unreadable): tally.unreadable += 1
            case (.refused, _): tally.parked += 1
            }
            guard let difference = pair.difference(answers[number], verdicts[number]) else { continue }
            Issue.record("\(seed), pair \(number): \(pair.description): \(difference)")
        }
        print(coverage.table)
        print(
            "\(pairs.count) pairs: mongod carried out \(tally.accepted), and refused \(tally.parked) that were parked and \(tally.unreadable) that check refuses"
        )
        #expect(coverage.empty == [])
        #expect(tally.accepted >= pairs.count / 2)
        #expect(tally.parked >= pairs.count / 10)

        // What the test would be worth if the fold were wrong.
        for fault in Fault.all {
            let wrong = prepared.answers(pairs) { fault($0) }
            let found = pairs.indices.filter { number in wrong[number].flatMap { pairs[number].difference($0, verdicts[number]) } != nil }.count
            print("\(fault.name): found by \(found) pairs")
            #expect(found > 0, "\(fault.name)")
        }
    }

    /// Every cell of the table some times, and then those that mongod can carry out.
    private static func pairs(_ seed: Seed) -> [Pair] {
        var pairs: [Pair] = []
        func add(_ cell: Coverage.Cell, _ target: Kind) {
            let (verb, kind, shape) = (cell.verb, cell.kind, cell.shape)
            pairs.append(PairMaker.pair(verb, kind, shape, target: verb.takesNothing ? kind : target, random: Random(seed, round: pairs.count)))
        }
        var random = Random(seed, round: -1)
        for _ in 0..<3 {
            for cell in Coverage.cells { add(cell, random.pick(random.once(in: 3) ? Kind.allCases : cell.verb.targets)) }
        }
        let good = Dictionary(grouping: Coverage.cells) { $0.verb }.mapValues { cells in
            cells.filter { $0.verb.operands.contains($0.kind) && ![.scalar, .array, .wrong].contains($0.shape) }
        }
        while pairs.count < Self.pairs {
            // More of those that have most to them.
            let verb = random.pick(Verb.allCases + [.inc, .max, .push, .addToSet, .pull, .pull])
            let cell = random.pick(good[verb] ?? [])
            add(cell, verb.targets.contains(cell.kind) && random.once(in: 2) ? cell.kind : random.pick(verb.targets))
        }
        return pairs
    }
}
