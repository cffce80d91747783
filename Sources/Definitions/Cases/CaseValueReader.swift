import Events
import Models
import Values

/// Reads values of documents. Beside what YAML can say there are four forms: `{ $date: TIME }`, `{ $numberLong: TEXT }`
/// for a 64-bit integer that would fit into 32, `{ $numberDecimal: TEXT }`, and `{ $bson: TYPE, base64: BYTES }` as `get` prints every other type.
struct CaseValueReader {
    let findings: Findings

    /// The fields of a document.
    func fields(_ node: YAMLNode, of id: String) -> Document? {
        guard let members = node.members else {
            if !node.isInvalid {
                findings.report("document \(quoted(id)) must be a map of fields, found \(node.found)", at: node.place, suggestion: "{} has no fields")
            }
            return nil
        }
        for member in members where ["_id", "_position", StoredDocument.expiryField].contains(member.name) {
            let suggestion = member.name == "_id" ? "the document's id stands before its fields" : "leave it out: it is not compared"
            findings.report("\(member.name) has no place here", at: member.place, suggestion: suggestion)
        }
        guard let fields = document(members) else { return nil }
        let value = Value.document(fields)
        guard value.levels <= BSON.maximumDepth, BSON.encode(fields).count <= SourceFile.maximumSize.bytes else {
            findings.report("document \(quoted(id)) is nested deeper than \(BSON.maximumDepth) levels, or too large", at: node.place)
            return nil
        }
        return fields
    }

    private func document(_ members: [YAMLNode.Member]) -> Document? {
        let fields = members.map { member in value(member.value).map { Document.Field(member.name, $0) } }
        return fields.contains { $0 == nil } ? nil : Document(fields.compactMap(\.self))
    }

    private func value(_ node: YAMLNode) -> Value? {
        switch node.content {
        case .invalid: return nil
        case .scalar(let scalar): return scalar.value
        case .sequence(let nodes):
            let values = nodes.map(value)
            return values.contains { $0 == nil } ? nil : .array(values.compactMap(\.self))
        case .mapping(let members):
            switch members.first?.name {
            case "$date"? where members.count == 1, "$numberLong"? where members.count == 1, "$numberDecimal"? where members.count == 1,
                "$bson"? where members.count == 2:
                return special(members, node.place)
            default: return document(members).map(Value.document)
            }
        }
    }

    private func special(_ members: [YAMLNode.Member], _ place: Place) -> Value? {
        let texts = members.map { $0.value.scalar?.value.asString }
        switch (members[0].name, texts[0]) {
        case ("$date", nil):
            if members[0].value.members?.first?.name == "$numberLong", case .int64(let time)? = value(members[0].value) { return .date(time) }
        case ("$date", let text?): if let time = DateTime.parse(text) { return .date(time) }
        case ("$numberLong", let text?): if let number = Int64(text) { return .int64(number) }
        case ("$numberDecimal", let text?): if let number = Decimal128(text) { return .decimal(number) }
        case ("$bson", let name?) where members[1].name == "base64":
            let type = (UInt8.min...UInt8.max).first { BSONType.name($0) == name }
            guard let type, let text = texts[1], let bytes = Base64.decode(Array(text.utf8)) else { break }
            guard type == BSONType.decimal128 else { return .other(OpaqueValue(type: type, bytes: bytes)) }
            if let number = Decimal128(bytes: bytes) { return .decimal(number) }
        default: break
        }
        findings.report(
            "\(members[0].name) holds no value of its type", at: place,
            suggestion:
                "such as { $date: \"2026-11-20T10:00:00Z\" }, { $numberLong: \"5\" }, { $numberDecimal: \"5.10\" } or { $bson: binData, base64: \"AAAAAAA=\" }"
        )
        return nil
    }
}
