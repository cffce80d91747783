import EventFixtures
import Events
import Testing
import Values

@testable import Models

/// Several operators, several effects: what sees what, and what is undone.
@Suite struct EffectTests {
    @Test func `operators of one effect see the document before it, effects of a list the one before them`() throws {
        let before: Document = ["n": 1]
        let inOne = try Applied([[.increment(path("n"), value(1)), .set(path("seen"), doc("n"))]], to: before)
        #expect(inOne.document == ["n": 2, "seen": 1])
        let inList = try Applied([[.increment(path("n"), value(1))], [.set(path("seen"), doc("n"))]], to: before)
        #expect(inList.document == ["n": 2, "seen": 2])
        let turns = try Applied([[.set(path("a"), doc("b")), .set(path("b"), doc("a"))]], to: ["a": 1, "b": 2])
        #expect(turns.document == ["a": 2, "b": 1])
    }

    @Test func `fields are added in the order in which the effect names them`() throws {
        let operators: [Models.Operator] = [
            .set(path("z"), value(1)), .increment(path("b.y"), value(1)), .push(path("a"), .one(value(1)), slice: nil), .set(path("b.x"), value(2)),
        ]
        #expect(try Applied([operators], to: nil).document == ["z": 1, "b": ["y": 1, "x": 2], "a": [1]])
    }

    @Test func `where a field stood in one document says nothing of the next`() throws {
        let chunk = try #require(TestLog().append([EventText("1", "changed", data: [:]).json]).first)
        let event = try #require(chunk.event(at: 0))
        let fold = EffectFold(["changed": [Effect([.increment(path("n"), value(1)), .set(path("in.n"), value(7))])]])
        let documents: [(before: Document, after: Document)] = [
            (["a": 1, "in": ["b": 1, "n": 1], "n": 1], ["a": 1, "in": ["b": 1, "n": 7], "n": 2]),
            (["n": 1, "a": 1, "b": 1, "in": ["n": 1, "b": 1]], ["n": 2, "a": 1, "b": 1, "in": ["n": 7, "b": 1]]),
            (["a": 1, "b": 1], ["a": 1, "b": 1, "n": 1, "in": ["n": 7]]),
            (["in": ["b": 1, "c": 1]], ["in": ["b": 1, "c": 1, "n": 7], "n": 1]),
            (["a": 1, "b": 1, "n": 1, "c": 1], ["a": 1, "b": 1, "n": 2, "c": 1, "in": ["n": 7]]),
        ]
        try withExtendedLifetime(chunk) {
            for (before, after) in documents + documents.reversed() {
                var document: Document? = before
                let isChanged = try fold.fold(event, into: &document)
                #expect(isChanged && document == after)
            }
        }
    }

    @Test func `a later operator that fails undoes the event`() throws {
        let before: Document = ["list": [1], "n": 1, "text": "x"]
        let good: [Models.Operator] = [
            .push(path("list"), .one(value(2)), slice: nil), .unset(path("n")), .set(path("new.inner"), value(1)), .pull(path("none"), value(1)),
        ]
        let bad: Models.Operator = .increment(path("text"), value(1))
        for effects in [[good + [bad]], [good, [bad]], [good, [.delete], [bad, .increment(path("other"), value(1))], [.set(path("a"), data("absent"))]]] {
            let applied = try Applied(effects, to: before)
            #expect(applied.document == before)
            #expect(applied.problem != nil && applied.changed == nil)
        }
        #expect(try Applied([good, [bad]], to: before).problem == .badOperand)
        // Without a document there is none afterwards.
        #expect(try Applied([[.set(path("a"), value(1)), .set(path("b"), data("absent"))]], to: nil) == Applied(document: nil, problem: .missingValue))
        #expect(try Applied([[.set(path("a"), data("absent"))]], to: nil) == Applied(document: nil, problem: .missingValue))
        #expect(try Applied([[.delete], [.set(path("a"), data("absent"))]], to: before) == Applied(document: before, problem: .missingValue))
    }

    @Test func `a single operator that fails leaves no trace`() throws {
        let before: Document = ["a": ["b": [["c": 5]]], "z": 1]
        let operators: [Models.Operator] = [
            .set(path("a.b.0.c.d"), value(1)), .set(path("a.b.x"), value(1)), .set(path("a.b.9999999.x"), value(1)), .increment(path("a.b.0.c"), value("x")),
            .push(path("a.b.0.c"), .one(value(1)), slice: nil), .push(path("a.b.0.new"), .each(value(1)), slice: nil), .addToSet(path("a"), .one(value(1))),
            .pull(path("a.b.0.c"), value(1)), .minimum(path("z.y"), value(1)), .increment(path("a.b.0"), value(1)),
        ]
        for op in operators {
            let applied = try Applied([[op]], to: before)
            #expect(applied.document == before && applied.problem != nil, "\(op)")
        }
    }

    @Test func `deleting, and what comes after it`() throws {
        #expect(try Applied([[.delete]], to: ["a": 1]) == Applied(document: nil, changed: true))
        #expect(try Applied([[.delete]], to: nil) == Applied(document: nil, changed: false))
        // Made anew: nothing of the old one is left, and nothing of it is seen.
        #expect(try Applied([[.delete], [.set(path("b"), value(2))]], to: ["a": 1]) == Applied(document: ["b": 2], changed: true))
        #expect(try Applied([[.delete], [.set(path("b"), doc("a"))]], to: ["a": 1]).problem == .missingValue)
        #expect(try Applied([[.set(path("b"), value(2))], [.delete]], to: nil) == Applied(document: nil, changed: true))
        #expect(try Applied([[.delete], [.set(path("a"), value(1))]], to: ["a": 1]) == Applied(document: ["a": 1], changed: true))
    }

    @Test func `an event changes a document when one of its operators does`() throws {
        let before: Document = ["a": 1, "b": 2]
        let idle: Models.Operator = .set(path("a"), value(1))
        #expect(try Applied([[idle]], to: before).changed == false)
        #expect(try Applied([[idle, .unset(path("c"))], [.maximum(path("b"), value(1))]], to: before).changed == false)
        #expect(try Applied([[idle, .set(path("b"), value(3)), .unset(path("c"))]], to: before).changed == true)
        #expect(try Applied([[.set(path("b"), value(3))], [idle]], to: before).changed == true)
        #expect(try Applied([[idle], [.set(path("b"), value(3))]], to: before).changed == true)
        // There and back again is a change: what one effect does is not compared with what another did.
        #expect(try Applied([[.set(path("b"), value(3))], [.set(path("b"), value(2))]], to: before) == Applied(document: before, changed: true))
        #expect(try Applied([[]], to: nil) == Applied(document: [:], changed: true))
        #expect(try Applied([], to: nil) == Applied(document: nil, changed: false))
    }

    @Test func `fields are added in that order whatever else leads to them`() throws {
        let operators: [Models.Operator] = [
            .unset(path("b.gone")), .setOnInsert(path("z"), value(0)), .set(path("y.b"), value(1)), .increment(path("b.x"), value(1)),
            .rename(path("old"), to: path("new")), .set(path("y.a"), value(2)), .set(path("c.10"), value(1)), .set(path("c.9"), value(2)),
        ]
        #expect(
            try Applied([operators], to: ["old": 5]).document == ["y": ["b": 1, "a": 2], "b": ["x": 1], "new": 5, "c": ["10": 1, "9": 2]])
        #expect(try Applied([operators], to: nil).document == ["z": 0, "y": ["b": 1, "a": 2], "b": ["x": 1], "c": ["10": 1, "9": 2]])
    }

    @Test func `elements are added to an array from its front, in whatever order they are named`() throws {
        let operators: [Models.Operator] = [.set(path("a.3"), value("later")), .minimum(path("a.1"), value(5)), .unset(path("a.2"))]
        #expect(try Applied([operators], to: ["a": [0]]).document == ["a": [0, 5, nil, "later"]])
    }

    @Test func `paths of one effect that conflict park its events`() throws {
        let before: Document = ["a": 1, "b": 2]
        let effects: [[Models.Operator]] = [
            [.set(path("a"), value(1)), .set(path("a"), value(2))], [.set(path("a"), value(1)), .unset(path("a.b"))],
            [.set(path("x.y"), value(1)), .set(path("x.$[].y"), value(1))], [.set(path("x.1"), value(1)), .set(path("x.01"), value(1))],
            [.rename(path("a"), to: path("b")), .increment(path("b"), value(1))], [.rename(path("a"), to: path("b")), .increment(path("a"), value(1))],
            [.rename(path("a"), to: path("b")), .rename(path("b"), to: path("c"))], [.rename(path("a"), to: path("a.b"))],
            [.rename(path("a"), to: path("x")), .rename(path("a"), to: path("y"))], [.delete, .set(path("a"), value(1))],
        ]
        for effect in effects { #expect(try Applied([effect], to: before) == Applied(document: before, problem: .pathConflict), "\(effect)") }
    }

    @Test func `an effect whose condition does not hold does nothing`() throws {
        let set: [Models.Operator] = [.set(path("a"), value(2))]
        let (one, zero, two): (Document, Document, Document) = (["a": 1], ["a": 0], ["a": 2])
        let rows: [(Models.Expression, Document?, Document?)] = [
            (data("go"), one, two), (data("stop"), one, one), (data("absent"), one, one), (doc("a"), one, two), (doc("a"), zero, zero), (doc("a"), nil, nil),
            (data("go"), nil, two),
        ]
        for (condition, before, after) in rows {
            let expected = Applied(document: after, changed: before != after)
            #expect(try Applied(effects: [Effect(set, when: condition)], to: before, data: ["go": 1, "stop": 0]) == expected, "\(condition)")
        }
        // The condition of a later effect sees what an earlier one did, and one that cannot be evaluated undoes the event.
        let later = [Effect(set), Effect([.delete], when: doc("a"))]
        #expect(try Applied(effects: later, to: ["a": 0]) == Applied(document: nil, changed: true))
        let bad = Effect([.delete], when: .apply(Application(try #require(ExpressionOperator.all["$size"]), [doc("a")])))
        #expect(try Applied(effects: [Effect(set), bad], to: ["a": 0]) == Applied(document: ["a": 0], problem: .badOperand))
    }

    @Test func `an effect that does not create leaves nothing where nothing was`() throws {
        let effect = Effect([.set(path("a"), data("absent"))], creates: false)
        #expect(try Applied(effects: [effect], to: nil) == Applied(document: nil, changed: false))
        #expect(try Applied(effects: [effect], to: ["a": 1]) == Applied(document: ["a": 1], problem: .missingValue))
        #expect(try Applied(effects: [Effect([.set(path("b"), value(1))]), effect], to: nil).problem == .missingValue)
    }

    @Test func `an effect may have very many paths, and a type very many effects`() throws {
        let names = (0..<2000).map { "f\($0)" }
        let expected = Document(names.map { Document.Field($0, 1) })
        #expect(try Applied(effects: [Effect(names.map { .set(path($0), value(1)) })], to: [:]).document == expected)
        #expect(try Applied(effects: names.map { Effect([.set(path($0), value(1))]) }, to: nil).document == expected)
    }

    @Test func `other types of events are not this fold's`() throws {
        let fold = EffectFold(["created": [], "changed": [Effect([.delete])]])
        #expect(fold.handles("created") && fold.handles("changed") && !fold.handles("deleted"))
    }

    @Test func `types that only look alike are two`() {
        let fold = EffectFold(["\u{E9}": [Effect([.delete])], "e\u{301}": []])
        #expect(fold.effects["\u{E9}"]?.count == 1 && fold.effects["e\u{301}"]?.isEmpty == true)
    }
}
