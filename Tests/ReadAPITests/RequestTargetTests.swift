import HTTPTypes
import Reads
import Testing

@testable import ReadAPI

@Suite struct RequestTargetTests {
    @Test(
        arguments: [
            ("/v1", .models), ("/v1/", .models), ("/v1/product", .page(model: "product")), ("/v1/product/a", .document(model: "product", id: "a")),
            ("/v1/product/a%2Fb%20c", .document(model: "product", id: "a/b c")), ("/v1/product/%C3%A9", .document(model: "product", id: "é")),
            ("/v1/product/a+b", .document(model: "product", id: "a+b")), ("/v1/product/$ne", .document(model: "product", id: "$ne")),
            ("/v1/product/..", .document(model: "product", id: "..")), ("/v1/product/%252F", .document(model: "product", id: "%2F")),
            ("/v1/product:batchGet", .batch(model: "product")), ("/v1/pro%64uct", .page(model: "product")),
        ] as [(String, Route)])
    func `a path`(text: String, route: Route) throws { #expect(try RequestTarget(text).route == route) }

    @Test(
        arguments: [
            ("/", 404), ("", 404), ("/v2/product", 404), ("/v1/product/a/b", 404), ("/v1/product/", 400), ("v1/product", 404), ("//v1/product", 404),
            ("/v1/product/%", 400), ("/v1/product/%4", 400), ("/v1/product/%GG", 400), ("/v1/product/%+1", 400), ("/v1/product/%FF", 400),
            ("/v1/product/%00", 400), ("/v1/product/a%00b", 400), ("/v1/product/\(String(repeating: "x", count: 513))", 400),
            ("/v1/product/\(String(repeating: "x", count: 5000))", 414), ("/v1/product/a?fields", 400), ("/v1/product/a?x=%zz", 400),
            ("http://127.0.0.1/v1", 404), ("*", 404),
        ] as [(String, Int)])
    func `a path that is none`(text: String, status: Int) {
        let problem = #expect(throws: HTTPProblem.self) { try RequestTarget(text) }
        #expect(problem?.status.code == status)
    }

    @Test(
        arguments: [
            ("", [:]), ("?", [:]), ("?a=b", ["a": "b"]), ("?a=b&c=d%26e", ["a": "b", "c": "d&e"]), ("?a=b+c%2B", ["a": "b c+"]), ("?a=b=c", ["a": "b=c"]),
            ("?a=", ["a": ""]), ("?&a=b&", ["a": "b"]), ("?a=?", ["a": "?"]),
        ] as [(String, KeyValuePairs<String, String>)])
    func `a query`(text: String, expected: KeyValuePairs<String, String>) throws {
        let query = try RequestTarget("/v1/product" + text).query
        #expect(query.map(\.name) == expected.map(\.key))
        #expect(query.map(\.value) == expected.map(\.value))
    }
}

@Suite struct ReadPreferencesTests {
    private static func read(_ values: String...) throws(HTTPProblem) -> ReadPreferences {
        var fields = HTTPFields()
        for value in values { fields.append(HTTPField(name: .prefer, value: value)) }
        return try ReadPreferences(fields)
    }

    @Test func `they are read as RFC 7240 has them`() throws {
        #expect(try Self.read() == Self.read("respond-async, wait-for=5"))
        #expect(try Self.read().consistency == .eventual)
        let both = try Self.read("consistency=causal, wait=5")
        #expect(both.consistency == .causal && both.wait == .seconds(5) && both.applied == ["consistency=causal", "wait=5"])
        #expect(try Self.read("Consistency=\"strong\"; foo=bar", " WAIT = 3 ").wait == .seconds(3))
        #expect(try Self.read("Consistency=\"strong\"; foo=bar", " WAIT = 3 ").consistency == .strong)
        #expect(try Self.read("wait=1000").wait == .seconds(30))
        #expect(try Self.read("wait=1000").applied == ["wait=30"])
        #expect(try Self.read("wait=0").wait == .zero)
    }

    @Test(arguments: ["consistency=casual", "consistency", "consistency=", "wait=soon", "wait=-1", "wait", "wait=1.5"])
    func `a promise that cannot be made is refused`(text: String) {
        #expect(throws: HTTPProblem.self) { try Self.read(text) }
    }
}
