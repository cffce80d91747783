import Values

/// Values of documents as YAML that `CaseValueReader` reads back as they were.
enum YAMLText {
    /// Lines are no longer than this where they need not be.
    static let width = 120

    /// On one line.
    static func flow(_ value: Value) -> String {
        switch value {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int32(let value): return String(value)
        case .int64(let value): return Int32(exactly: value) == nil ? String(value) : "{ $numberLong: \"\(value)\" }"
        case .double(let value): return flow(value)
        case .decimal(let number):
            let text = number.description
            // MongoDB stores forms of a number that its text does not tell apart.
            return Decimal128(text) == number ? "{ $numberDecimal: \"\(text)\" }" : opaque(BSONType.decimal128, number.bytes)
        case .string(let text): return scalar(text)
        case .date(let time):
            let text = DateTime.format(milliseconds: time)
            // Years that RFC 3339 cannot write.
            return DateTime.parse(text) == time ? "{ $date: \"\(text)\" }" : "{ $date: { $numberLong: \"\(time)\" } }"
        case .array(let values): return values.isEmpty ? "[]" : "[ \(values.map(flow).joined(separator: ", ")) ]"
        case .document(let document):
            return document.isEmpty ? "{}" : "{ \(document.fields.map { "\(scalar($0.name)): \(flow($0.value))" }.joined(separator: ", ")) }"
        case .other(let other): return opaque(other.type, other.bytes)
        }
    }

    /// On one line that is not too long, for messages.
    static func short(_ value: Value) -> String {
        let text = flow(value)
        return text.count <= width ? text : text.prefix(width) + "…"
    }

    /// A key and its value: on one line where that fits, else with its members below it.
    static func lines(_ name: String, _ value: Value, indent: Int) -> [String] {
        lines(after: String(repeating: " ", count: indent) + scalar(name) + ":", value, indent: indent)
    }

    /// Keys and values below each other.
    static func lines(_ document: Document, indent: Int) -> [String] {
        document.fields.flatMap { lines($0.name, $0.value, indent: indent) }
    }

    private static func lines(after head: String, _ value: Value, indent: Int) -> [String] {
        let line = "\(head) \(flow(value))"
        if line.count <= width { return [line] }
        switch value {
        case .document(let document): return [head] + lines(document, indent: indent + 2)
        case .array(let values): return [head] + values.flatMap { lines(after: String(repeating: " ", count: indent + 2) + "-", $0, indent: indent + 2) }
        default: return [line]
        }
    }

    private static func flow(_ number: Double) -> String {
        if number.isFinite { return String(number) }
        return number.isNaN ? ".nan" : number > 0 ? ".inf" : "-.inf"
    }

    private static func opaque(_ type: UInt8, _ bytes: [UInt8]) -> String {
        "{ $bson: \(scalar(BSONType.name(type))), base64: \"\(Base64.encode(bytes))\" }"
    }

    /// Text as it stands, where that reads as text wherever it stands; else in double quotes.
    static func scalar(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let isPlain =
            scalars.first.map { $0.properties.isAlphabetic || $0 == "_" } ?? false && scalars.last != " "
            && scalars.allSatisfy { $0.properties.isAlphabetic || ("0"..."9").contains($0) || "_-./@ ".unicodeScalars.contains($0) }
        if isPlain, CoreSchema.resolve(text) == .value(.string(text)) { return text }
        return quotedScalar(text)
    }

    private static func quotedScalar(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where isPrintable(scalar): quoted.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                quoted += scalar.value < 0x10000 ? "\\u" + padded(digits, 4) : "\\U" + padded(digits, 8)
            }
        }
        return quoted + "\""
    }

    private static func padded(_ digits: String, _ count: Int) -> String { String(repeating: "0", count: count - digits.count) + digits }

    /// What YAML takes as it is, and nobody takes for something else.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }
}
