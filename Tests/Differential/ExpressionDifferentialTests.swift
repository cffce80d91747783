import EventFixtures
import Events
import Fixtures
import Models
import Testing
import Values

/// Each operator of the expression language, on random operands, is evaluated here and by a real mongod: values must come
/// out the same, types included, and what one refuses the other must refuse.
@Suite struct ExpressionDifferentialTests {
    private static let casesPerOperator = 500

    // What mongod 6.0 has wrong is left out: dates before 1970 with milliseconds in $dateAdd and $dateSubtract, the $log of a
    // decimal to a base, and the last digits of the $pow of one, which come from an older version of the same library.

    @Test(arguments: Seed.steady) func `expressions give what mongod gives`(seed: Seed) async throws {
        let judge = try ExpressionJudge()
        let chunk = try #require(TestLog().append([EventText("1").json]).first)
        let event = try #require(chunk.event(at: 0))
        for family in ExpressionOperator.families {
            var (values, refusals) = (0, 0)
            for op in family.operators {
                var tally = (values: 0, refusals: 0)
                var differences: [String] = []
                let cases = (0..<Self.casesPerOperator).map { ExpressionMaker.make(op, Random(seed, round: op.name.hashed &+ $0)) }
                // What is refused here is asked alone, what is not together with others of the same expression.
                var groups: [String: [(ExpressionCase, ExpressionAnswer)]] = [:]
                for (number, one) in cases.enumerated() {
                    let answer = ExpressionAnswer(one, event)
                    groups[answer.isRefused ? "\(number)" : one.written, default: []].append((one, answer))
                }
                for group in groups.values {
                    let verdicts = try await judge.verdicts(group[0].0.expression, group.map(\.0.document))
                    for ((one, answer), verdict) in zip(group, verdicts) {
                        if case .refused = verdict { tally.refusals += 1 } else { tally.values += 1 }
                        if let difference = answer.difference(verdict, isRough: op.name == "$pow") { differences.append("\(one.description): \(difference)") }
                    }
                }
                values += tally.values
                refusals += tally.refusals
                #expect(
                    differences.isEmpty, "\(seed), \(op.name): \(differences.count) of \(cases.count) differ:\n\(differences.prefix(4).joined(separator: "\n"))"
                )
                #expect(tally.values >= cases.count / 5, "\(op.name)")
            }
            print("\(family.name): \(family.operators.count) operators, \(values) values and \(refusals) refusals compared")
        }
        withExtendedLifetime(chunk) {}
    }
}

extension String {
    /// The same number in every run.
    fileprivate var hashed: Int { utf8.reduce(17) { ($0 &* 31 &+ Int($1)) & 0xFFFF_FFFF } }
}
