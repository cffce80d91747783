import Values

/// A message as Debezium Server's Redis sink stores it (debezium.io/documentation, "Debezium Server", Redis Stream): an
/// entry of a Redis stream, whose fields are texts.
public struct SinkMessage: Hashable, Sendable {
    public struct Field: Hashable, Sendable {
        public var name: [UInt8]
        public var value: [UInt8]

        public init(_ name: [UInt8], _ value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// In the order of the entry.
    public var fields: [Field]

    public init(_ fields: [Field]) { self.fields = fields }

    /// What stands for no key, and for no value: the sink's default (`debezium.sink.redis.null.key`, `….null.value`).
    private static let nothing = Array("default".utf8)
    private static let null = Array("null".utf8)
    private static let (key, value) = (Array("key".utf8), Array("value".utf8))

    /// The element that the `debezium` format reads: `{"key": …, "value": …}`, and the headers beside them.
    ///
    /// Compact, the sink's default, is one field with the key as its name; extended is `key`, `value` and a field for each
    /// header. An entry that is neither keeps its fields, for whoever reads the element to park it.
    public var element: [UInt8] {
        if fields.count == 1 { return Self.element(key: fields[0].name, value: fields[0].value, headers: []) }
        guard let key = fields.first(where: { $0.name == Self.key })?.value, let value = fields.first(where: { $0.name == Self.value })?.value else {
            return Self.texts(fields)
        }
        return Self.element(key: key, value: value, headers: fields.filter { $0.name != Self.key && $0.name != Self.value })
    }

    private static func element(key: [UInt8], value: [UInt8], headers: [Field]) -> [UInt8] {
        // A key that is no JSON is a text.
        let key = key == nothing ? null : isJSON(key) ? key : JSON.quote(key)
        func compose(_ value: [UInt8]) -> [UInt8] {
            let headers = headers.isEmpty ? [] : [(Array("headers".utf8), texts(headers))]
            return object([(Self.key, key), (Self.value, value)] + headers)
        }
        guard value != nothing else { return compose(null) }
        let element = compose(value)
        // A value that is no JSON makes an element that is none, which is parked with the reason. One that pretends, by
        // braces and commas, to be more than a value is a text.
        return isJSON(element) && !isJSON(value) ? compose(JSON.quote(value)) : element
    }

    private static func isJSON(_ text: [UInt8]) -> Bool {
        var elements = RawElements()
        text.withUnsafeBytes { elements.append($0) }
        if case .success = elements.parse().root(0) { return true }
        return false
    }

    private static func texts(_ fields: [Field]) -> [UInt8] { object(fields.map { ($0.name, JSON.quote($0.value)) }) }

    private static func object(_ members: [(name: [UInt8], value: [UInt8])]) -> [UInt8] {
        var text: [UInt8] = []
        for (name, value) in members {
            text.append(UInt8(ascii: text.isEmpty ? "{" : ","))
            text += JSON.quote(name)
            text.append(UInt8(ascii: ":"))
            text += value
        }
        return text.isEmpty ? Array("{}".utf8) : text + [UInt8(ascii: "}")]
    }
}
