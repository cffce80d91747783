import Events
import Foundation
import HTTPTypes
import Models
import Reads
import Testing
import Values

@testable import ReadAPI

@Suite struct OpenAPITests {
    private static func model(_ fold: EffectFold = EffectFold([:]), privateFields: [FieldPath] = []) -> ReadModel {
        ReadModel(
            Model(
                name: "product", stream: "product", fold: fold, privateFields: privateFields, indexes: [DocumentIndex([.init("price.amount", -1)])], source: "",
                foldHash: "", stoppingHash: ""), partitions: 1)
    }

    private static func path(_ text: String) -> FieldPath { FieldPath(text.split(separator: ".").map(String.init)) }

    @Test func `a schema says what operators leave no choice about, and nothing that is private`() {
        let event = Expression.event(name: .data, path: ["x"])
        let fold = EffectFold([
            ExactString("a"): [
                Effect([
                    .increment(Self.path("price.amount"), event), .set(Self.path("name"), event), .set(Self.path("kind"), .literal(.init("x"))),
                    .increment(Self.path("mixed"), event), .set(Self.path("list.0.a"), event), .increment(Self.path("secret"), event),
                    .unset(Self.path("gone")),
                ])
            ],
            ExactString("b"): [Effect([.set(Self.path("mixed"), event), .increment(Self.path("price.secret"), event)])],
        ])
        let schema = Self.model(fold, privateFields: [Self.path("secret"), Self.path("price.secret")]).schema(id: "/x")
        let properties = schema["properties"]?.asDocument ?? [:]
        let number: Value = ["type": ["number", "string"], "description": "a string where it is a decimal or beyond 2^53"]
        #expect(properties.fields.map { $0.name } == ["_id", "kind", "list", "mixed", "name", "price"])
        #expect(properties["price"] == ["type": "object", "properties": ["amount": number]])
        #expect(properties["kind"] == ["type": "string"])
        #expect([properties["mixed"], properties["name"], properties["list"]] == [[:], [:], [:]])
    }

    @Test func `each path has what the API takes, and each operation a name of its own`() throws {
        let document = OpenAPI(models: [Self.model()], version: "1").document
        let paths = try #require(document["paths"]?.asDocument)
        #expect(
            paths.fields.map(\.name) == [
                "/v1", "/v1/product", "/v1/product/{id}", "/v1/product/{id}/history", "/v1/product:batchGet", "/v1/product/schema",
            ])
        var names: [String] = []
        for path in paths.fields {
            let methods = try #require(path.value.asDocument).fields
            let route = try RequestTarget(path.name.replacing("{id}", with: "a")).route
            #expect(Set(methods.map { $0.name.uppercased() }) == Set(route.methods.map(\.rawValue)), "\(path.name)")
            #expect(route.name == path.name.replacing("product", with: "{model}"))
            for method in methods {
                names.append(try #require(method.value.asDocument?["operationId"]?.asString))
                #expect(method.value.asDocument?["responses"]?.asDocument?["200"] != nil)
            }
        }
        #expect(Set(names).count == names.count)
        let parameters = paths["/v1/product"]?.asDocument?["get"]?.asDocument?["parameters"]?.asArray?.compactMap { $0.asDocument?["name"]?.asString }
        #expect(parameters == ["_id", "price.amount", "sort", "limit", "after", "fields", "stale", "Prefer"])
    }

    @Test func `the page shows all of it, and nothing of it is code`() {
        var document = OpenAPI(models: [Self.model()], version: "<script>").document
        document["extra"] = "x"
        let html = DocsPage(document: document).html
        #expect(html.contains("GET /v1/product/{id}</code>") && html.contains("POST /v1/product:batchGet") && html.contains("not-caught-up"))
        #expect(!html.contains("<script>") && html.contains("&lt;script&gt;"))
    }

    @Test func `the documentation has every problem, as it is answered`() throws {
        let root = (0..<3).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let text = try String(contentsOf: root.appending(path: "docs/api.md"), encoding: .utf8)
        for entry in HTTPProblem.kinds {
            #expect(text.contains("| `\(entry.problem)` | \(entry.status.code) | \(entry.meaning) |"), "\(entry.problem)")
        }
        #expect(Set(HTTPProblem.kinds.map(\.problem)).count == HTTPProblem.kinds.count)
    }
}
