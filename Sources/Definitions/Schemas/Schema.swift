import Events
import Values

/// Parts of JSON Schemas (draft 7), which editors check and complete YAML with.
///
/// The schemas are made of the names that the readers themselves look up, so that what a reader learns an editor knows.
enum Schema {
    static let anything: Value = true
    static let boolean: Value = ["type": "boolean"]
    static let text: Value = ["type": "string", "minLength": 1]

    static func text(_ pattern: String) -> Value { ["type": "string", "pattern": .string(pattern)] }

    /// What stands under the same name in `definitions`.
    static func reference(_ name: String) -> Value { ["$ref": .string("#/definitions/\(name)")] }

    static func oneOf(_ values: some Sequence<Value>) -> Value { ["enum": .array(Array(values))] }
    static func oneOf(_ names: some Sequence<String>) -> Value { oneOf(names.map(Value.string)) }

    static func any(_ schemas: Value...) -> Value { ["anyOf": .array(schemas)] }
    static func all(_ schemas: Value...) -> Value { ["allOf": .array(schemas)] }

    static func list(of item: Value, atLeast count: Int = 0) -> Value {
        var list: Document = ["type": "array", "items": item]
        if count > 0 { list.append("minItems", Value(integer: Int64(count))) }
        return .document(list)
    }

    /// A map of which every key is known. Keys that stand in `keys` alone may hold anything.
    static func map(keys: [String], required: [String] = [], _ known: [String: Value] = [:]) -> Value {
        var map: Document = ["type": "object", "additionalProperties": false]
        map.append("properties", .document(Document(keys.map { Document.Field($0, known[$0] ?? anything) })))
        if !required.isEmpty { map.append("required", .array(required.map(Value.string))) }
        return .document(map)
    }

    /// A map of names that somebody chooses.
    static func map(names: Value? = nil, of value: Value, atLeast count: Int = 0) -> Value {
        var map: Document = ["type": "object", "additionalProperties": value]
        if let names { map.append("propertyNames", names) }
        if count > 0 { map.append("minProperties", Value(integer: Int64(count))) }
        return .document(map)
    }

    static let draft: Value = "http://json-schema.org/draft-07/schema#"

    /// A whole file.
    static func file(_ title: String, keys: [String], required: [String], _ known: [String: Value], definitions: Document = Document()) -> Value {
        var file: Document = ["$schema": draft, "title": .string(title)]
        file.fields += root(keys: keys, required: required, known).asDocument?.fields ?? []
        if !definitions.isEmpty { file.append("definitions", .document(definitions)) }
        return .document(file)
    }

    /// The map that a file is.
    static func root(keys: [String], required: [String], _ known: [String: Value]) -> Value {
        map(keys: ["version"] + keys, required: ["version"] + required, known.merging(["version": ["const": 1]]) { $1 })
    }

    // MARK: Settings

    /// What `Findings.check(name:)` takes.
    static let name = text("^[A-Za-z][A-Za-z0-9_-]{0,63}$")
    /// A range is more than a schema can say of them.
    static let duration = text("^[0-9]+(\(Units.durations.map(\.unit).joined(separator: "|")))$")
    static let size: Value = any(["type": "integer", "minimum": 0], text("^[0-9]+(\(Units.sizes.map(\.unit).joined(separator: "|")))?$"))

    static func integer(_ range: ClosedRange<Int>) -> Value {
        ["type": "integer", "minimum": Value(integer: Int64(range.lowerBound)), "maximum": Value(integer: Int64(range.upperBound))]
    }
}

/// The schemas of every kind of file, as they stand in `config/schema/`.
public enum SchemaFiles {
    /// File names and texts.
    public static let all: [(name: String, text: String)] = [
        ("millrace.schema.json", text(Schema.settings)), ("model.schema.json", text(Schema.model)), ("cases.schema.json", text(Schema.cases)),
        ("job.schema.json", text(Schema.job)),
    ]

    private static func text(_ schema: Value) -> String { JSON.pretty(schema) + "\n" }
}
