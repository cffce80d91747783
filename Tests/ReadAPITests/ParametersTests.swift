import Models
import Reads
import Testing
import Values

@testable import ReadAPI

@Suite struct ParametersTests {
    static let model: ReadModel = {
        let model = Model(
            name: "product", stream: "product", fold: EffectFold([:]), privateFields: [FieldPath(["cost"]), FieldPath(["price", "paid"])],
            indexes: [
                DocumentIndex([.init("category", 1), .init("price.amount", -1)]), DocumentIndex([.init("cost", 1)]),
                DocumentIndex([.init("category", 1), .init("price.paid", 1)]), DocumentIndex([.init("price", 1)]),
            ], source: "", foldHash: "", stoppingHash: "")
        return ReadModel(model, partitions: 1)
    }()

    private static func read(_ query: String) throws -> PageParameters { try PageParameters(RequestTarget("/v1/product?" + query).query, of: model) }

    @Test(
        arguments: [
            ("5", 5), ("-5", -5), ("5.5", 5.5), ("5000000000", .int64(5_000_000_000)), ("true", true), ("null", .null), ("abc", "abc"), ("\"5\"", "5"),
            ("05", "05"), ("a.b", "a.b"), ("", ""), ("{\"$ne\":1}", "{\"$ne\":1}"), ("[1]", "[1]"), ("@1970-01-01T00:00:00.005Z", .date(5)),
            ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ] as [(String, Value)])
    func `a value`(text: String, value: Value) throws {
        let encoded = text.replacing("\"", with: "%22").replacing("+", with: "%2B")
        #expect(try Self.read("category=eq." + encoded).query.conditions == [PageQuery.Condition("category", .eq, value)])
        // An id is a string, whatever it looks like.
        #expect(try Self.read("_id=gte." + encoded).query.conditions == [PageQuery.Condition("_id", .gte, .string(text))])
    }

    @Test(
        arguments: [
            "category=5", "category=ne.5", "category=$eq.5", "category=regex.x", "category[$ne]=x", "cost=eq.5", "price.paid=eq.1", "price=eq.1", "other=eq.1",
            "_position=eq.1", "sort=cost", "sort=other", "sort=category,category", "sort=category,-category", "sort=", "sort=$natural", "limit=0", "limit=-1",
            "limit=1001", "limit=abc", "limit=1e9", "limit=10&limit=20", "fields=", "fields=a..b", "fields=a,", "fields=$where", "stale=yes", "stale=",
            "after=x&after=y", "fields=\((0...100).map { "f\($0)" }.joined(separator: ","))",
            "fields=\(Array(repeating: "a", count: 33).joined(separator: "."))", "category=eq.@yesterday", "filter={}", "where=1",
        ])
    func `what is refused`(query: String) {
        #expect(throws: HTTPProblem.self) { try Self.read(query) }
    }

    @Test func `no index shows the order of what is private`() {
        #expect(PageParameters.paths(of: Self.model) == ["_id", "category", "price.amount"])
        #expect(throws: HTTPProblem.self) { try Self.read("sort=price").request(of: Self.model, names: nil) }
        #expect((try? Self.read("category=eq.a").request(of: Self.model, names: nil))?.index.name == "millrace:category_1,price.amount_-1,_id_1")
    }

    @Test func `the next page is of the same question`() throws {
        let query = try Self.read("category=eq.a&sort=-price.amount")
        let request = try query.request(of: Self.model, names: nil)
        let cursor = PageCursor.write(["a", 5.5, "é/+?"], of: query.query, model: "product", index: request.index)
        #expect(!cursor.contains { "+/=".contains($0) })
        let next = try Self.read("category=eq.a&sort=-price.amount&limit=7&fields=name&after=\(cursor)")
        #expect(try next.request(of: Self.model, names: nil).after == ["a", 5.5, "é/+?"])
        for other in ["category=eq.b&sort=-price.amount", "category=eq.a&sort=price.amount", "category=eq.a", "sort=_id"] {
            #expect(throws: HTTPProblem.self, "\(other)") {
                try Self.read(other + "&after=\(cursor)").request(of: Self.model, names: nil)
            }
        }
        for damaged in ["", "x", String(cursor.dropLast(3)), cursor.replacing("A", with: "B"), "%20", "AAAA"] {
            #expect(throws: HTTPProblem.self, "\(damaged)") {
                try Self.read("category=eq.a&sort=-price.amount&after=\(damaged)").request(of: Self.model, names: nil)
            }
        }
    }

    @Test func `a batch`() throws {
        let body = try BatchBody(Array(#"{"ids":["a","b","a"],"fields":["name","price.amount"]}"#.utf8))
        #expect(body.ids == ["a", "b", "a"])
        #expect(body.fields == [["name"], ["price", "amount"]])
        #expect(try BatchBody(Array(#"{"ids":["a"]}"#.utf8)).fields == nil)
        let many = "[" + Array(repeating: "\"a\"", count: 1000).joined(separator: ",") + "]"
        #expect(try BatchBody(Array(#"{"ids":\#(many)}"#.utf8)).ids.count == 1000)
    }

    @Test(
        arguments: [
            "", "{", "[]", "\"a\"", "{}", #"{"ids":[]}"#, #"{"ids":"a"}"#, #"{"ids":[1]}"#, #"{"ids":[""]}"#, #"{"ids":["a\u0000"]}"#, #"{"ids":[null]}"#,
            #"{"ids":["a"],"ids":["b"]}"#, #"{"ids":["a"],"field":["x"]}"#, #"{"ids":["a"],"fields":"x"}"#, #"{"ids":["a"],"fields":[]}"#,
            #"{"ids":["a"],"fields":[1]}"#, #"{"ids":["a"],"fields":["a..b"]}"#, #"{"ids":[{"$ne":"a"}]}"#,
            "{\"ids\":[\"a\"],\"fields\":[\"\(Array(repeating: "a", count: 100_000).joined(separator: "."))\"]}",
            "{\"ids\":[\"a\"],\"fields\":[\((0...100).map { "\"f\($0)\"" }.joined(separator: ","))]}",
            "{\"ids\":[\"\(String(repeating: "x", count: 513))\"]}", "{\"ids\":[" + Array(repeating: "\"a\"", count: 1001).joined(separator: ",") + "]}",
        ])
    func `a batch that is none`(text: String) { #expect(throws: HTTPProblem.self) { try BatchBody(Array(text.utf8)) } }
}
