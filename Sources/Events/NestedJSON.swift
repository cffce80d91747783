import Values

/// JSON inside a text, as connectors write values that have no type of their own.
enum NestedJSON {
    /// The value that a text holds, or the text itself when it is no JSON.
    ///
    /// - Parameter extended: whether it is MongoDB's extended JSON.
    static func unfold(_ value: Value, extended: Bool = false) -> Value {
        guard case .string(var text) = value else { return value }
        var elements = RawElements()
        text.withUTF8 { elements.append(UnsafeRawBufferPointer($0)) }
        let tape = elements.parse()
        return withExtendedLifetime(tape) {
            guard case .success(let root) = tape.root(0) else { return value }
            return extended ? plain(root.value) : root.value
        }
    }

    /// What extended JSON means: an ObjectId is its hexadecimal text, which can be a key; a Decimal128 is its text.
    private static func plain(_ value: Value) -> Value {
        switch value {
        case .array(let elements): return .array(elements.map(plain))
        case .document(let document):
            if document.fields.count == 1, let field = document.fields.first, let value = scalar(field.name, field.value) { return value }
            return .document(Document(document.fields.map { Document.Field($0.name, plain($0.value)) }))
        default: return value
        }
    }

    private static func scalar(_ name: String, _ value: Value) -> Value? {
        switch name {
        case "$oid", "$numberDecimal": value.asString.map(Value.string)
        case "$numberInt": value.asString.flatMap { Int32($0) }.map(Value.int32)
        case "$numberLong": value.asString.flatMap { Int64($0) }.map(Value.int64)
        case "$numberDouble": value.asString.flatMap { Double($0) }.map(Value.double)
        case "$date": value.asInteger.map(Value.date) ?? value.asString.flatMap(DateTime.parse).map(Value.date) ?? plain(value).asInteger.map(Value.date)
        default: nil
        }
    }
}
