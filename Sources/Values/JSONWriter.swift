/// JSON out.
///
/// Integers and doubles are numbers, dates are RFC 3339 strings; so that no reader makes doubles of them, decimals are strings.
/// NaN and the infinities, which JSON lacks, are strings too. Types without a form in JSON are `{"$bson": type, "base64": …}`.
public enum JSON {
    /// One line, members in stored order.
    public static func write(_ value: Value) -> String {
        String(decoding: bytes(value), as: UTF8.self)
    }

    /// The same, as UTF-8.
    public static func bytes(_ value: Value) -> [UInt8] {
        var text: [UInt8] = []
        append(value, indent: nil, to: &text)
        return text
    }

    /// Two spaces a level.
    public static func pretty(_ value: Value) -> String {
        var text: [UInt8] = []
        append(value, indent: 0, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    static func append(_ value: Value, indent: Int?, to text: inout [UInt8]) {
        switch value {
        case .null: text += "null".utf8
        case .bool(let value): text += (value ? "true" : "false").utf8
        case .int32(let value): text += String(value).utf8
        case .int64(let value): text += String(value).utf8
        case .double(let value): append(value, to: &text)
        case .decimal(let value): append(quoted: value.description.utf8, to: &text)
        case .string(let value): append(quoted: value.utf8, to: &text)
        case .date(let value): append(quoted: DateTime.format(milliseconds: value).utf8, to: &text)
        case .array(let values):
            append(open: "[", close: "]", count: values.count, indent: indent, to: &text) { index, inner, text in
                append(values[index], indent: inner, to: &text)
            }
        case .document(let document):
            append(open: "{", close: "}", count: document.fields.count, indent: indent, to: &text) { index, inner, text in
                append(quoted: document.fields[index].name.utf8, to: &text)
                text += (inner == nil ? ":" : ": ").utf8
                append(document.fields[index].value, indent: inner, to: &text)
            }
        case .other(let value):
            append(.document(["$bson": .string(BSONType.name(value.type)), "base64": .string(Base64.encode(value.bytes))]), indent: indent, to: &text)
        }
    }

    private static func append(
        open: String, close: String, count: Int, indent: Int?, to text: inout [UInt8],
        _ item: (_ index: Int, _ indent: Int?, _ text: inout [UInt8]) -> Void
    ) {
        text += open.utf8
        for index in 0..<count {
            if index > 0 { text += ",".utf8 }
            if let indent { newline(indent + 1, &text) }
            item(index, indent.map { $0 + 1 }, &text)
        }
        if let indent, count > 0 { newline(indent, &text) }
        text += close.utf8
    }

    private static func newline(_ indent: Int, _ text: inout [UInt8]) {
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * indent))
    }

    private static func append(_ number: Double, to text: inout [UInt8]) {
        if number.isFinite {
            text += String(number).utf8
        } else {
            append(quoted: (number.isNaN ? "NaN" : number > 0 ? "Infinity" : "-Infinity").utf8, to: &text)
        }
    }

    /// A JSON string of a text's bytes. What is no UTF-8 stays as it is, and makes the JSON none.
    public static func quote(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        append(quoted: bytes, to: &text)
        return text
    }

    static func append(quoted bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
        let done: Void? = bytes.withContiguousStorageIfAvailable { bytes in
            text.append(UInt8(ascii: "\""))
            // What stands for itself is copied run by run.
            var copied = 0
            for (place, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                text.append(contentsOf: bytes[copied..<place])
                append(escaped: byte, to: &text)
                copied = place + 1
            }
            text.append(contentsOf: bytes[copied...])
            text.append(UInt8(ascii: "\""))
        }
        if done == nil { append(quoted: Array(bytes), to: &text) }
    }

    private static func append(escaped byte: UInt8, to text: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\n"): text += "\\n".utf8
        case UInt8(ascii: "\r"): text += "\\r".utf8
        case UInt8(ascii: "\t"): text += "\\t".utf8
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
        default:
            let digits = Array("0123456789abcdef".utf8)
            text += "\\u00".utf8
            text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}

/// Base64 (RFC 4648, with padding).
public enum Base64 {
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var rest = bytes[...]
        while !rest.isEmpty {
            let group = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? digits[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
