import EventFixtures
import Events
import Values

@testable import Definitions
@testable import Models

/// What the definition language makes of a pair.
enum Answer {
    case folded(Document?, changed: Bool)
    case parked(Problem)
    /// `check` refuses the effect.
    case unreadable(String)
}

/// Pairs, compiled, with their events.
struct Prepared {
    let effects: [Result<Effect, NotRead>]
    private let chunks: [DecodedChunk]

    struct NotRead: Error {
        var message: String
    }

    init(_ pairs: [Pair]) {
        effects = pairs.map { pair in
            let findings = Findings(file: "pair.yaml")
            let effect = YAMLReader.read(JSON.write(.document(pair.effect)), findings).flatMap { EffectReader(findings: findings).read($0, of: "changed") }
            guard let effect = effect?.first, findings.isEmpty else {
                return .failure(NotRead(message: findings.problems.map(\.description).joined(separator: "; ")))
            }
            return .success(effect)
        }
        let texts = pairs.enumerated().map { number, pair in
            EventText("\(number)", data: .document(pair.data), occurredAt: DateTime.format(milliseconds: Pair.time)).json
        }
        chunks = TestLog().append(texts)
    }

    /// What each pair's document becomes.
    func answers(_ pairs: [Pair]) -> [Answer] { answers(pairs) { .some($0) }.map { $0 ?? .parked(.badInput) } }

    /// What becomes of those pairs' documents whose effects a fault has changed, and nil for the others.
    func answers(_ pairs: [Pair], changed: (Effect) -> Effect?) -> [Answer?] {
        var answers: [Answer?] = []
        for decoded in chunks {
            for place in 0..<decoded.chunk.count {
                let number = answers.count
                switch effects[number] {
                case .failure(let problem): answers.append(.unreadable(problem.message))
                case .success(let effect):
                    answers.append(changed(effect).flatMap { effect in decoded.event(at: place).map { answer(effect, $0, pairs[number].before) } })
                }
            }
        }
        return answers
    }

    private func answer(_ effect: Effect, _ event: Event, _ before: Document?) -> Answer {
        var document = before
        do throws(Refusal) {
            let changed = try EffectFold(["changed": [effect]]).fold(event, into: &document)
            return .folded(document, changed: changed)
        } catch {
            // The document must be as it was.
            return document == before ? .parked(error.problem) : .folded(document, changed: false)
        }
    }
}
