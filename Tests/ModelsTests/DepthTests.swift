import Events
import Testing
import Values

@testable import Models

/// MongoDB stores no document beyond 180 levels, and says so only at the commit: such an event must be parked before.
/// The limits are those that mongod 6.0.5 was seen to draw.
@Suite struct DepthTests {
    private static func array(_ inner: Value) -> Value { [inner] }

    static let rows: [(String, Models.Operator, Models.Operator)] = [
        ("$set", .set(path("x"), value(nested(179))), .set(path("x"), value(nested(180)))),
        ("$set below a path", .set(path("x.y.z"), value(nested(177))), .set(path("x.y.z"), value(nested(178)))),
        ("$push", .push(path("x"), .one(value(nested(178))), slice: nil), .push(path("x"), .one(value(nested(179))), slice: nil)),
        ("$push $each", .push(path("x"), .each(value(array(nested(178)))), slice: nil), .push(path("x"), .each(value(array(nested(179)))), slice: nil)),
        ("$addToSet", .addToSet(path("x"), .one(value(nested(178)))), .addToSet(path("x"), .one(value(nested(179))))),
        ("$max", .maximum(path("x"), value(nested(179))), .maximum(path("x"), value(nested(180)))),
    ]

    @Test func `the deepest that is taken, and one more`() throws {
        for (name, deepest, deeper) in Self.rows {
            #expect(try Applied([[deepest]], to: [:]).changed == true, "\(name)")
            #expect(try Applied([[deeper]], to: [:]) == Applied(document: [:], problem: .documentTooDeep), "\(name)")
        }
    }

    @Test func `a document that takes itself in stops growing`() throws {
        var document: Document? = ["x": 1]
        var problem: Problem?
        for _ in 0..<200 where problem == nil {
            let applied = try Applied([[.set(path("x"), .array([doc("x")]))]], to: document)
            (document, problem) = (applied.document, applied.problem)
        }
        #expect(problem == .documentTooDeep)
        #expect(document.map { Value.document($0).depth } == 180)
    }

    @Test func `an event as deep as the parser takes it is parked`() throws {
        #expect(try Applied([[.set(path("x"), data())]], to: nil, data: nested(1000)).problem == .documentTooDeep)
    }

    @Test func `levels are counted through documents and arrays`() {
        let rows: [(Value, Int)] = [(1, 0), ([:], 1), ([], 1), ([1, [2]], 2), (["a": 1, "b": [["c": 1]], "d": []], 3)]
        for (value, levels) in rows { #expect(value.depth == levels) }
    }
}
