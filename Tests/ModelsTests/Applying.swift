import EventFixtures
import Events
import Testing
import Values

@testable import Models

/// One row of a table: an operator on a document, with what mongod 6.0 makes of it.
struct Row: Sendable {
    enum Answer: Sendable, Equatable {
        case changed(Document)
        case unchanged
        case refused(Problem)
    }

    var before: Document?
    var op: Models.Operator
    var answer: Answer

    init(_ before: Document?, _ op: Models.Operator, _ answer: Answer) {
        self.before = before
        self.op = op
        self.answer = answer
    }

    /// Applies each row alone.
    static func check(_ rows: [Row]) throws {
        for row in rows {
            let applied = try Applied([[row.op]], to: row.before)
            let expected =
                switch row.answer {
                case .changed(let document): Applied(document: document, changed: true)
                case .unchanged: Applied(document: row.before ?? [:], changed: false)
                case .refused(let problem): Applied(document: row.before, problem: problem)
                }
            #expect(applied == expected, "\(row.op) on \(row.before.map { JSON.write(.document($0)) } ?? "nothing")")
        }
    }
}

/// What an event with these effects leaves.
struct Applied: Equatable {
    var document: Document?
    var changed: Bool?
    var problem: Problem?

    init(document: Document?, changed: Bool? = nil, problem: Problem? = nil) {
        self.document = document
        self.changed = changed
        self.problem = problem
    }

    init(_ effects: [[Models.Operator]], to document: Document?, data: Value = [:]) throws {
        try self.init(effects: effects.map { Effect($0) }, to: document, data: data)
    }

    init(effects: [Effect], to document: Document?, data: Value = [:]) throws {
        let chunk = try #require(TestLog().append([EventText("1", "changed", data: data, occurredAt: "1970-01-01T00:00:01Z").json]).first)
        let event = try #require(chunk.event(at: 0))
        self.document = document
        do {
            changed = try withExtendedLifetime(chunk) { try EffectFold(["changed": effects]).fold(event, into: &self.document) }
        } catch let refusal as Refusal { problem = refusal.problem }
    }
}

// Short names for tables.

func path(_ text: String) -> FieldPath { FieldPath(text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)) }

func value(_ value: Value) -> Models.Expression { .literal(.init(value)) }

func data(_ path: String...) -> Models.Expression { .event(name: .data, path: path) }

func doc(_ path: String...) -> Models.Expression { .document(path: path) }

/// So many documents, one in the other.
func nested(_ levels: Int) -> Value { (0..<levels).reduce(1) { inner, _ in ["a": inner] } }
