import EventFixtures
import Fixtures
import Testing
import Values

/// Events that look like something else: they are data, from the list to the document and back.
@Suite(.serialized) struct OddDataTests {
    private static let keys = [
        "$ne", "a.b", "../x", "😀", "\u{202e}abc", " ", "--json", "-5", "NULL", "{}", "'; DROP TABLE users; --", "é", "e\u{301}", "\u{1b}[31m", "product@1",
    ]
    private static let data: Value = [
        "$set": ["a": 1], "$where": "1 == 1", "_id": 2, "_position": 3, "__proto__": [:], "": 4, "a.b": 5, "$date": "2026-11-20T10:00:00Z",
        "nul": "a\u{0}b", "deep": ["$ref": "x", "list": [["$inc": 1]]],
    ]

    @Test func `odd keys and names are stored and shown as they are`() async throws {
        let model = "version: 1\nmodel: product\nstream: product\nfold: { '{}': { $set: { measured: $data } } }\n"
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            try await installation.drain(Self.keys.enumerated().map { EventText("\($0)", "{}", key: .string($1), data: Self.data) })
            for key in Self.keys {
                let ended = try await installation.millrace("get", "product", "--", key)
                #expect(ended.code == 0, "\(key): \(ended.errors)")
                guard case .document(let shown) = try JSONText.parse(ended.output.trimmingSuffix("\n")).get() else {
                    Issue.record("\(key): \(ended.output)")
                    continue
                }
                #expect(shown["_id"] == .string(key) && shown["measured"] == Self.data, "\(key)")
            }
            #expect(try await installation.documents("product").count == Self.keys.count)
        }
    }
}
