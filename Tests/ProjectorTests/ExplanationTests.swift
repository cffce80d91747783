import EventFixtures
import Events
import Fixtures
import Models
import Testing
import Values

@testable import Projector

@Suite struct ExplanationTests {
    private static func explanation(of key: String, _ chunks: [DecodedChunk], below limit: Int64 = .max, _ decisions: [Int64: Decision] = [:]) -> Explanation {
        var explanation = Explanation(of: key, build: Commerce.product, fold: Commerce.productFold, decisions: decisions)
        for chunk in chunks { explanation.take(chunk, below: limit) }
        return explanation
    }

    /// The value at a path as the events below an offset make it.
    private static func value(_ path: [String], of key: String, _ chunks: [DecodedChunk], below limit: Int64) -> Value? {
        var history = KeyHistory(of: [key], build: Commerce.product, fold: Commerce.productFold)
        for chunk in chunks { history.take(chunk, below: limit) }
        return path.reduce(history.document(of: key).map { .document($0.fields) }) { $0?.asDocument?[$1] }
    }

    @Test(arguments: Seed.ofThisRun) func `each field is made by the last event that changed it`(seed: Seed) throws {
        var fields = 0
        for round in 0..<20 {
            var random = Random(seed, round: round)
            var settings = TestLog.settings
            settings.chunkEvents = 1 + random.below(20)
            let log = TestLog(settings: settings)
            log.append(random.texts(60, types: Commerce.types))
            for key in Set(log.chunks.flatMap(\.chunk.keys)) {
                let explanation = Self.explanation(of: key.text, log.chunks)
                var history = KeyHistory(of: [key.text], build: Commerce.product, fold: Commerce.productFold)
                for chunk in log.chunks { history.take(chunk) }
                #expect(explanation.document == history.document(of: key.text))
                for field in explanation.fields {
                    fields += 1
                    let before = Self.value(field.path, of: key.text, log.chunks, below: field.madeBy.offset)
                    #expect(before != field.value, "round \(round): \(key.text) \(field.path) was the same before \(field.madeBy)")
                    for limit in (field.madeBy.offset + 1)...log.end {
                        #expect(Self.value(field.path, of: key.text, log.chunks, below: limit) == field.value, "round \(round): \(key.text) \(field.path)")
                    }
                }
                #expect(Self.leaves(explanation.document?.fields) == explanation.fields.map(\.path))
            }
        }
        #expect(fields > 100)
    }

    private static func leaves(_ document: Document?, _ path: [String] = []) -> [[String]] {
        (document?.fields ?? []).flatMap { field -> [[String]] in
            guard let inner = field.value.asDocument, !inner.isEmpty else { return [path + [field.name]] }
            return leaves(inner, path + [field.name])
        }
    }

    @Test func `what changed nothing is told with its reason`() throws {
        let log = TestLog()
        let first = EventText("e0", "created", key: "a", data: ["x": 1, "y": ["z": 2]])
        log.append(
            [
                first, EventText("e1", "unknown", key: "a"), first, EventText("e3", "created", key: "b", data: 1),
                EventText("e0", "created", key: "a", data: 2), EventText("e5", "copied", key: "a"),
                EventText("e6", "created", key: "a", data: ["x": 1, "y": 3]),
            ].map(\.json))
        let explanation = Self.explanation(of: "a", log.chunks)
        #expect(explanation.exceptions.map(\.source.offset) == [1, 2, 4, 5])
        #expect(explanation.exceptions.map(\.fate.name) == ["ignored", "duplicate", "parked", "parked"])
        let problems = explanation.exceptions.compactMap { if case .parked(let refusal) = $0.fate { refusal.problem } else { nil } }
        #expect(problems == [.idReused, .missingValue])
        #expect(explanation.exceptions[1].fate == .duplicate(of: 0))
        let totals = explanation.totals
        #expect([totals.logged, totals.applied, totals.ignored, totals.parked, totals.duplicates] == [5, 2, 1, 2, 1])
        let made = explanation.fields.map { "\($0.path.joined(separator: ".")) \($0.madeBy.id ?? "") \($0.madeBy.offset) \($0.madeBy.type ?? "")" }
        #expect(made == ["first.x e0 0 created", "first.y e6 6 created", "n e6 6 created"])

        let earlier = Self.explanation(of: "a", log.chunks, below: 5)
        #expect(earlier.waiting == 2 && earlier.totals.logged == 3)
        let decided = Self.explanation(of: "a", log.chunks, [0: .dropped, 4: .dropped])
        #expect(decided.totals.ignored == 3 && decided.fields.map(\.madeBy.offset) == [6, 6, 6])
    }

    @Test func `what is held back is told`() {
        var fold = Commerce.productFold
        fold.errorPolicy = .hold
        let log = TestLog()
        log.append(
            [EventText("e0", "copied", key: "a"), EventText("e1", "created", key: "a", data: 1), EventText("e2", "created", key: "b", data: 1)].map(\.json))
        var explanation = Explanation(of: "a", build: Commerce.product, fold: fold, decisions: [:])
        for chunk in log.chunks { explanation.take(chunk) }
        #expect(explanation.exceptions.map(\.fate.name) == ["parked", "held"])
        #expect(explanation.totals.held == 1 && explanation.document == nil)
    }

    @Test func `a document that is gone names the event that removed it`() {
        let log = TestLog()
        log.append([EventText("e0", "created", key: "a", data: 1), EventText("e1", "deleted", key: "a"), EventText("e2", "deleted", key: "a")].map(\.json))
        let gone = Self.explanation(of: "a", log.chunks)
        #expect(gone.document == nil && gone.fields.isEmpty && gone.removedBy?.id == "e1")
        log.append([EventText("e3", "created", key: "a", data: 1)].map(\.json))
        let back = Self.explanation(of: "a", log.chunks)
        #expect(back.removedBy == nil && back.fields.map(\.madeBy.id) == ["e3", "e3"])
        #expect(Self.explanation(of: "b", log.chunks).document == nil)
    }
}
