import Events
import HTTPTypes
import Models
import Reads
import Values

/// The read API as an OpenAPI 3.1 document: what somebody may read, each with its fields, filters and problems.
struct OpenAPI {
    /// As the one who asks sees them.
    let models: [ReadModel]
    let version: String

    var document: Document {
        var paths: Document = ["/v1": path("The models that may be read", operation("listModels", "Models", [], ok: Self.modelList, [.unauthorized]))]
        for model in models {
            paths.append("/v1/\(model.name)", page(of: model))
            paths.append("/v1/\(model.name)/{id}", lookup(of: model))
            paths.append("/v1/\(model.name)/{id}/history", history(of: model))
            paths.append("/v1/\(model.name):batchGet", batch(of: model))
            let schema = operation("schemaOf\(Self.capitalised(model.name))", model.name, [], ok: ["type": "object"], [.noSuchModel])
            paths.append("/v1/\(model.name)/schema", path("The documents of \(model.name), as JSON Schema", schema))
        }
        var schemas: Document = ["Problem": .document(Self.problem)]
        for model in models { schemas.append(model.name, .document(model.schema(id: "/v1/\(model.name)/schema"))) }
        return [
            "openapi": "3.1.0", "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
            "info": [
                "title": "Millrace read API", "version": .string(version), "description": "Documents that are folded from events, looked up and listed.",
            ],
            "servers": [["url": "/"]], "security": [["token": []], [:]], "paths": .document(paths),
            "components": [
                "schemas": .document(schemas),
                "securitySchemes": [
                    "token": ["type": "http", "scheme": "bearer", "description": "A token, without which only the server's own machine is served."]
                ],
            ],
        ]
    }

    // MARK: Paths

    private func path(_ summary: String, _ operation: Document) -> Value {
        var get = operation
        get.fields.insert(Document.Field("summary", .string(summary)), at: 1)
        var head = get
        head["operationId"] = .string("head" + Self.capitalised(get["operationId"]?.asString ?? ""))
        head["responses"] = .document(Self.withoutBodies(get["responses"]?.asDocument ?? Document()))
        return ["get": .document(get), "head": .document(head)]
    }

    private func lookup(of model: ReadModel) -> Value {
        let answer: Value = ["$ref": .string("#/components/schemas/\(model.name)")]
        let parameters = [
            Self.id, Self.fields, Self.at, Self.stale, Self.prefer, Self.header("If-None-Match", "Answers 304 where the document has this ETag.", Self.text),
        ]
        var operation = operation("get\(Self.capitalised(model.name))", model.name, parameters, ok: answer, [.noSuchDocument, .notCaughtUp])
        var responses = operation["responses"]?.asDocument ?? Document()
        responses.append("304", ["description": "It is as it was."])
        operation["responses"] = .document(responses)
        return path("One document of \(model.name)", operation)
    }

    private func history(of model: ReadModel) -> Value {
        let position: Value = ["type": "string", "description": "A position in the log."]
        let version: Value = [
            "type": "object", "required": ["position", "loggedAt", "outcome", "document"],
            "properties": [
                "position": position, "eventId": Self.text, "eventType": Self.text, "occurredAt": Self.time, "loggedAt": Self.time,
                "outcome": ["enum": ["applied", "ignored", "parked", "held", "duplicate"]], "problem": Self.text,
                "document": ["anyOf": [["$ref": .string("#/components/schemas/\(model.name)")], ["type": "null"]]],
            ],
        ]
        let answer: Value = [
            "type": "object", "required": ["events", "next"],
            "properties": ["events": ["type": "array", "items": version], "next": ["type": ["string", "null"]]],
        ]
        let parameters = [
            Self.id, Self.fields,
            Self.query("limit", "How many events.", Self.limit),
            Self.query("after", "What an earlier answer gave as next.", Self.text),
        ]
        return path(
            "What each event made of one document of \(model.name)",
            operation("historyOf\(Self.capitalised(model.name))", model.name, parameters, ok: answer, [.noSuchDocument, .notCaughtUp]))
    }

    private func page(of model: ReadModel) -> Value {
        let operators = PageQuery.Comparison.allCases.map(\.rawValue).joined(separator: "|")
        let filter: Value = ["type": "string", "pattern": .string("^(\(operators))\\.")]
        let paths = PageParameters.paths(of: model)
        let names = paths.map { $0.replacing(".", with: "\\.") }.joined(separator: "|")
        let filters = paths.map { Self.query($0, "A condition, such as eq.value.", filter) }
        let parameters =
            filters + [
                Self.query("sort", "Fields of an index, each with a minus where it descends.", Self.list(of: "-?(\(names))")),
                Self.query("limit", "How many documents.", Self.limit),
                Self.query("after", "What the page before gave as next.", Self.text), Self.fields, Self.stale, Self.prefer,
            ]
        let answer: Value = [
            "type": "object", "required": ["documents", "next"],
            "properties": [
                "documents": ["type": "array", "items": ["$ref": .string("#/components/schemas/\(model.name)")]], "next": ["type": ["string", "null"]],
            ],
        ]
        return path(
            "A page of the documents of \(model.name)",
            operation("list\(Self.capitalised(model.name))", model.name, parameters, ok: answer, [.noIndex, .notCaughtUp, .answerTooLarge]))
    }

    private func batch(of model: ReadModel) -> Value {
        let fields: Value = ["type": "string", "pattern": .string("^\(Self.path)$")]
        let ids: Value = ["type": "array", "minItems": 1, "maxItems": .int32(Int32(BatchBody.mostIds)), "items": Self.idSchema]
        let answer: Value = [
            "type": "object", "required": ["documents", "missing"],
            "properties": [
                "documents": ["type": "array", "items": ["$ref": .string("#/components/schemas/\(model.name)")]],
                "missing": ["type": "array", "items": ["type": "string"]],
            ],
        ]
        var post = operation(
            "batchGet\(Self.capitalised(model.name))", model.name, [Self.stale, Self.prefer], ok: answer, [.notCaughtUp, .requestTooLarge, .answerTooLarge])
        post.fields.insert(Document.Field("summary", .string("Many documents of \(model.name) by their ids")), at: 1)
        post.append(
            "requestBody",
            [
                "required": true,
                "content": [
                    "application/json": [
                        "schema": [
                            "type": "object", "required": ["ids"], "additionalProperties": false,
                            "properties": ["ids": ids, "fields": ["type": "array", "minItems": 1, "items": fields]],
                        ]
                    ]
                ],
            ])
        return ["post": .document(post)]
    }

    private func operation(_ name: String, _ tag: String, _ parameters: [Value], ok: Value, _ problems: [Problem]) -> Document {
        var responses: Document = ["200": ["description": "The answer", "content": ["application/json": ["schema": ok]]]]
        let all = problems + [.badRequest, .unauthorized, .forbidden, .rateLimited, .overloaded]
        var grouped = Dictionary(grouping: all) { HTTPProblem.status(of: $0).code }
        // Of the URL, where it is longer than its parts may make it.
        grouped[HTTPResponse.Status.uriTooLong.code] = [.requestTooLarge]
        for (status, problems) in grouped.sorted(by: { $0.key < $1.key }) {
            let names = Set(problems.map(\.rawValue)).sorted().joined(separator: ", ")
            responses.append(
                "\(status)",
                ["description": .string(names), "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]]])
        }
        return [
            "operationId": .string(name), "tags": [.string(tag)], "parameters": .array(parameters), "responses": .document(responses),
        ]
    }

    private static func withoutBodies(_ responses: Document) -> Document {
        Document(responses.fields.map { Document.Field($0.name, ["description": $0.value.asDocument?["description"] ?? ""]) })
    }

    private static func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    // MARK: Parameters and schemas

    private static let text: Value = ["type": "string"]
    private static let time: Value = ["type": "string", "format": "date-time"]

    private static let limit: Value = [
        "type": "integer", "minimum": .int64(Int64(NamedParameters.limits.lowerBound)), "maximum": .int64(Int64(NamedParameters.limits.upperBound)),
        "default": .int64(Int64(NamedParameters.standardLimit)),
    ]

    private static func list(of pattern: String) -> Value { ["type": "string", "pattern": .string("^\(pattern)(,\(pattern))*$")] }

    private static func query(_ name: String, _ description: String, _ schema: Value) -> Value {
        ["name": .string(name), "in": "query", "description": .string(description), "schema": schema]
    }

    private static func header(_ name: String, _ description: String, _ schema: Value) -> Value {
        ["name": .string(name), "in": "header", "description": .string(description), "schema": schema]
    }

    private static let idSchema: Value = [
        "type": "string", "minLength": .int64(Int64(Envelope.keyLength.lowerBound)), "maxLength": .int64(Int64(Envelope.keyLength.upperBound)),
    ]
    private static let id: Value = ["name": "id", "in": "path", "required": true, "description": "The document's id, percent-encoded.", "schema": idSchema]
    private static let path = "[^.,$]+(\\.[^.,$]+)*"
    private static let fields = query("fields", "Paths with commas between them; what is not named is left out.", list(of: path))
    private static let at = query("at", "As the document was: a time, or a position of the log, which an earlier answer or event has.", text)
    private static let stale = query("stale", "Whether what there is will do where the consistency was not reached.", ["enum": ["ok"]])
    private static let prefer = header(
        "Prefer", "consistency=eventual, causal or strong, and wait=SECONDS (RFC 7240).", ["type": "string", "examples": ["consistency=causal, wait=5"]])

    private static let modelList: Value = [
        "type": "object", "required": ["models"],
        "properties": [
            "models": [
                "type": "array",
                "items": [
                    "type": "object", "required": ["name", "path", "filters"],
                    "properties": ["name": text, "path": text, "filters": ["type": "array", "items": text]],
                ],
            ]
        ],
    ]

    /// As RFC 9457 has it.
    private static let problem: Document = [
        "type": "object", "required": ["type", "title", "status", "code", "detail", "requestId"],
        "properties": [
            "type": ["type": "string", "format": "uri"], "title": text, "status": ["type": "integer"],
            "code": ["enum": .array(HTTPProblem.kinds.map { .string($0.problem.rawValue) })], "detail": text, "hint": text, "requestId": text,
            "reason": text, "lagSeconds": ["type": "number"],
        ],
    ]
}
