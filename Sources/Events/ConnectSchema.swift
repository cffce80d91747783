import Values

/// What a schema of Kafka Connect says about the values that JSON cannot write: decimals, dates and times.
enum ConnectSchema {
    /// The schema of a member of a struct.
    static func field(_ name: some StringProtocol, of schema: JSONNode) -> JSONNode? {
        schema.member("fields")?.elements.first { $0.member("field")?.string?.elementsEqual(name) ?? false }
    }

    static func value(_ node: JSONNode, _ schema: JSONNode?, at path: String) throws(Refusal) -> Value {
        guard let schema, node.kind != .null else { return node.value }
        if let meaning = schema.member("name")?.string.flatMap({ meanings[$0] }) {
            guard let value = meaning(node, schema) else {
                throw Refusal(.badValue, "\(path) is not what its schema \(schema.member("name")?.string ?? "") says")
            }
            return value
        }
        switch (node.kind, schema.member("type")?.string) {
        case (.object, "struct"):
            var members: [(name: String, value: JSONNode)] = []
            node.forEachMember { name, value in members.append((String(decoding: name, as: UTF8.self), value)) }
            var document = Document()
            for (name, value) in members {
                document.append(name, try Self.value(value, field(name, of: schema), at: path + "." + name))
            }
            return .document(document)
        case (.array, "array"):
            var elements: [Value] = []
            for element in node.elements { elements.append(try value(element, schema.member("items"), at: path)) }
            return .array(elements)
        default: return node.value
        }
    }

    private typealias Meaning = @Sendable (_ node: JSONNode, _ schema: JSONNode) -> Value?

    /// By the schema's name. What is not here is what JSON says it is.
    private static let meanings: [String: Meaning] = {
        func type(_ type: ValueType) -> Meaning { { node, _ in type.convert(node.value) } }
        return [
            "io.debezium.time.Date": type(.epochDays), "org.apache.kafka.connect.data.Date": type(.epochDays),
            "io.debezium.time.Timestamp": type(.epochMillis), "org.apache.kafka.connect.data.Timestamp": type(.epochMillis),
            "io.debezium.time.MicroTimestamp": type(.epochMicros), "io.debezium.time.NanoTimestamp": type(.epochNanos),
            "io.debezium.time.ZonedTimestamp": type(.date),
            "io.debezium.data.Json": { node, _ in node.kind == .string ? NestedJSON.unfold(node.value) : nil },
            "org.apache.kafka.connect.data.Decimal": { node, schema in
                guard let text = schema.member("parameters")?.member("scale")?.string else { return nil }
                return Int(text).flatMap { decimal(node, scale: $0) }
            },
            "io.debezium.data.VariableScaleDecimal": { node, _ in
                guard let scale = node.member("scale")?.integer, let value = node.member("value") else { return nil }
                return decimal(value, scale: Int(scale))
            },
        ]
    }()

    /// Base64 of the two's complement, highest byte first, as the exact decimal text.
    private static func decimal(_ node: JSONNode, scale: Int) -> Value? {
        guard node.kind == .string, let bytes = Base64.decode(node.utf8) else { return nil }
        return UnscaledNumber.text(bytes, scale: scale).map(Value.string)
    }
}

/// A decimal number as an integer and a power of ten.
enum UnscaledNumber {
    /// Far beyond any database's numbers; printing takes quadratic time.
    private static let maximumBytes = 128
    private static let scales = -1000...1000

    /// The exact decimal text, with as many digits behind the point as the scale says; nil when it is no such number.
    ///
    /// - Parameter bytes: the two's complement, highest byte first.
    static func text(_ bytes: [UInt8], scale: Int) -> String? {
        guard 1...maximumBytes ~= bytes.count, scales.contains(scale) else { return nil }
        let isNegative = bytes[0] >= 0x80
        var magnitude = bytes
        if isNegative {
            var carry = true
            for place in magnitude.indices.reversed() {
                magnitude[place] = ~magnitude[place] &+ (carry ? 1 : 0)
                carry = carry && magnitude[place] == 0
            }
        }
        var digits: [UInt8] = []
        while magnitude.contains(where: { $0 != 0 }) {
            var rest = 0
            for place in magnitude.indices {
                let number = rest << 8 | Int(magnitude[place])
                magnitude[place] = UInt8(number / 10)
                rest = number % 10
            }
            digits.append(UInt8(ascii: "0") + UInt8(rest))
        }
        let isZero = digits.isEmpty
        if !isZero, scale < 0 { digits.insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: -scale), at: 0) }
        while digits.count <= max(scale, 0) { digits.append(UInt8(ascii: "0")) }
        if scale > 0 { digits.insert(UInt8(ascii: "."), at: scale) }
        if isNegative { digits.append(UInt8(ascii: "-")) }
        return String(decoding: digits.reversed(), as: UTF8.self)
    }
}
