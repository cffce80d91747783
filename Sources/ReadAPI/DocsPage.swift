import Events
import HTTPTypes
import Reads
import Values

/// The OpenAPI document as a page to read: plain HTML, without scripts or anything from elsewhere.
struct DocsPage {
    let document: Document

    var html: String {
        let info = document["info"]?.asDocument ?? Document()
        let title = "\(info["title"]?.asString ?? "") \(info["version"]?.asString ?? "")"
        var page = "<!doctype html><html lang=en><meta charset=utf-8><title>\(Self.escaped(title))</title><style>\(Self.style)</style>"
        page += "<h1>\(Self.escaped(title))</h1>"
        page += "<p>The same for programs: <a href=/openapi.json>/openapi.json</a></p>"
        for path in document["paths"]?.asDocument?.fields ?? [] {
            for (method, operation) in (path.value.asDocument?.fields ?? []).map({ ($0.name, $0.value) }) where method != "head" {
                page += section(path.name, method, operation.asDocument ?? Document())
            }
        }
        page += "<h2>Documents</h2>"
        for schema in document["components"]?.asDocument?["schemas"]?.asDocument?.fields ?? [] where schema.name != "Problem" {
            page += "<h3>\(Self.escaped(schema.name))</h3>"
            page += Self.table(["field", "type"], rows(schema.value.asDocument ?? Document(), below: ""))
        }
        page += "<h2>Problems</h2>"
        page += Self.table(["code", "status", "meaning"], HTTPProblem.kinds.map { [$0.problem.rawValue, "\($0.status.code)", $0.meaning] })
        return page
    }

    private func section(_ path: String, _ method: String, _ operation: Document) -> String {
        var text = "<h2><code>\(method.uppercased()) \(Self.escaped(path))</code></h2><p>\(Self.escaped(operation["summary"]?.asString ?? ""))</p>"
        let parameters = (operation["parameters"]?.asArray ?? []).compactMap(\.asDocument)
        if !parameters.isEmpty {
            text += Self.table(["parameter", "in", ""], parameters.map { p in ["name", "in", "description"].map { p[$0]?.asString ?? "" } })
        }
        let responses = operation["responses"]?.asDocument?.fields ?? []
        return text + Self.table(["status", ""], responses.map { [$0.name, $0.value.asDocument?["description"]?.asString ?? ""] })
    }

    private func rows(_ schema: Document, below path: String) -> [[String]] {
        (schema["properties"]?.asDocument?.fields ?? []).flatMap { field in
            let type = field.value.asDocument?["type"]
            let text = type?.asString ?? type?.asArray?.compactMap(\.asString).joined(separator: " or ") ?? "any"
            return [[path + field.name, text]] + rows(field.value.asDocument ?? Document(), below: "\(path)\(field.name).")
        }
    }

    private static func table(_ titles: [String], _ rows: [[String]]) -> String {
        let head = titles.map { "<th>\(escaped($0))" }.joined()
        return "<table><tr>\(head)\(rows.map { "<tr>" + $0.map { "<td>\(escaped($0))" }.joined() }.joined())</table>"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
        table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #ddd;vertical-align:top}\
        h2{margin-top:2.5rem}code{font-size:1.1em}
        """
}
