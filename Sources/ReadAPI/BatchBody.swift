import Events
import Values

/// What a batch asks for: `{"ids": ["a", "b"], "fields": ["name", "price.amount"]}`.
struct BatchBody {
    var ids: [String]
    var fields: [[String]]?

    static let mostIds = 1000

    init(_ bytes: [UInt8]) throws(HTTPProblem) {
        let tape = JSONTape(parsing: bytes, offsets: [0], lengths: [UInt32(bytes.count)])
        let parsed: Result<Value, JSONProblem> = withExtendedLifetime(tape) { tape.root(0).map(\.value) }
        let example = "send {\"ids\": [\"a\", \"b\"]}"
        let body: Document
        switch parsed {
        case .failure(let problem): throw .badRequest("the body is no JSON: \(problem.explanation)", hint: example)
        case .success(.document(let document)): body = document
        case .success(let value): throw .badRequest("the body must be an object, found \(value.typeName)", hint: example)
        }
        for field in body.fields where !["ids", "fields"].contains(field.name) {
            throw .badRequest("\(JSON.write(.string(String(field.name.prefix(80))))) is no member of the body", hint: "it takes ids and fields")
        }
        guard let values = body["ids"]?.asArray, 1...Self.mostIds ~= values.count else {
            throw .badRequest("ids must be a list of 1 to \(Self.mostIds) ids", hint: example)
        }
        ids = []
        for (place, value) in values.enumerated() {
            guard let id = value.asString, Envelope.keyLength.contains(id.utf8.count), !id.utf8.contains(0) else {
                throw .badRequest("ids[\(place)] must be a string of \(Envelope.keyLength.lowerBound) to \(Envelope.keyLength.upperBound) bytes without NUL")
            }
            ids.append(id)
        }
        if let value = body["fields"] {
            guard let names = value.asArray, let texts = names.map(\.asString) as? [String], !texts.isEmpty else {
                throw .badRequest("fields must be a list of paths", hint: "such as [\"name\", \"price.amount\"]")
            }
            fields = []
            guard texts.count <= FieldList.mostPaths else { throw .badRequest("fields has more than \(FieldList.mostPaths) paths") }
            for text in texts { fields? += try FieldList.read(text) }
            guard fields.map({ $0.count <= FieldList.mostPaths }) ?? true else { throw .badRequest("fields has more than \(FieldList.mostPaths) paths") }
        }
    }
}
