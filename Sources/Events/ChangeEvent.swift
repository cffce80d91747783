import Values

/// A change event as Debezium nests it: a message of key and value, either of which may come with its schema.
struct ChangeEvent {
    /// The message's key, when the element holds it.
    var key: JSONNode?
    /// An object, or null for a tombstone.
    var payload: JSONNode
    private var schema: JSONNode?

    init(_ root: JSONNode) {
        var value = root
        if let inner = root.member("value"), root.member("op") == nil, root.member("payload") == nil {
            value = inner
            key = root.member("key").map { $0.member("schema") == nil ? $0 : $0.member("payload") ?? $0 }
        }
        payload = value
        if value.member("op") == nil, let inner = value.member("payload") {
            payload = inner
            schema = value.member("schema")
        }
    }

    var source: JSONNode? { payload.member("source") }
    private var isMongo: Bool { source?.member("connector")?.string == "mongodb" }

    func table() throws(Refusal) -> String {
        guard let node = source?.member("table") ?? source?.member("collection"), let table = node.string, !table.isEmpty else {
            throw Refusal(.badEventType, "source.table is missing, or is no text")
        }
        guard table.utf8.count + 2 <= Envelope.nameLength.upperBound else {
            throw Refusal(.badEventType, "source.table and op together must have at most \(Envelope.nameLength.upperBound) bytes")
        }
        return table
    }

    /// The value of a key of one column.
    func ownKey() throws(Refusal) -> EventMember? {
        guard let key, key.kind != .null else { return nil }
        var columns: [JSONNode] = []
        key.forEachMember { _, value in columns.append(value) }
        guard key.kind != .object || columns.count == 1 else {
            throw Refusal(.badKey, "the message's key has \(columns.count) columns: say in the stream's keys: which one is the key")
        }
        let column = columns.first ?? key
        // MongoDB's connector writes the key as JSON in a text.
        return isMongo ? .value(NestedJSON.unfold(column.value, extended: true)) : .node(column)
    }

    // MARK: Before and after

    /// What a column holds that was not changed and is not at hand: a large value of PostgreSQL.
    private static let unavailable = "__debezium_unavailable_value"
    private static let unavailableValues: [Value] = [
        .string(unavailable), .string(Base64.encode(Array(unavailable.utf8))), .array([.string(unavailable)]),
    ]

    /// The row before and after; nil where there is none. A value that is not at hand is that of the other side, or missing.
    func sides() throws(Refusal) -> (before: Value?, after: Value?) {
        let (before, after) = (try side("before"), try side("after"))
        return (Self.complete(before, from: nil), Self.complete(after, from: before))
    }

    private func side(_ name: String) throws(Refusal) -> Value? {
        guard let node = payload.member(name), node.kind != .null else { return nil }
        if isMongo, node.kind == .string {
            let value = NestedJSON.unfold(node.value, extended: true)
            guard case .document = value else { throw Refusal(.badValue, "\(name) must be an object, as JSON in a text") }
            return value
        }
        guard node.kind == .object else { throw Refusal(.badValue, "\(name) must be an object, found \(node.article)") }
        return try ConnectSchema.value(node, schema.flatMap { ConnectSchema.field(name, of: $0) }, at: name)
    }

    private static func complete(_ side: Value?, from other: Value?) -> Value? {
        guard case .document(let row)? = side, row.fields.contains(where: { unavailableValues.contains($0.value) }) else { return side }
        return .document(
            Document(
                row.fields.compactMap { field in
                    guard unavailableValues.contains(field.value) else { return field }
                    guard let value = other?.asDocument?[field.name], !unavailableValues.contains(value) else { return nil }
                    return Document.Field(field.name, value)
                }
            )
        )
    }

    // MARK: Identity

    /// Which members of `source` are a position: the first ones must be there.
    private static let positions: [String: (required: [String], others: [String])] = [
        "postgresql": (["lsn"], ["txId"]), "mysql": (["file", "pos"], ["row", "server_id"]), "mariadb": (["file", "pos"], ["row", "server_id"]),
        "mongodb": (["ts_ms", "ord"], ["lsid", "txnNumber"]),
    ]

    /// The position in the source's log, and the digest of what happened there: several rows can share a position.
    func id(_ content: Digest) throws(Refusal) -> String {
        (try position().map { $0 ?? "" } + [content.hex]).joined(separator: ":")
    }

    private func position() throws(Refusal) -> [String?] {
        guard let source, let connector = source.member("connector")?.string else { throw Refusal(.badEventId, "source.connector is missing") }
        guard let names = Self.positions[connector] else {
            throw Refusal(.badEventId, "source.connector must be postgresql, mysql, mariadb or mongodb: of others the position is not known")
        }
        var position: [String?] = [connector]
        for name in names.required + names.others {
            let text = source.member(name).flatMap { $0.string ?? $0.integer.map { String($0) } }
            if text == nil, names.required.contains(name) { throw Refusal(.badEventId, "source.\(name) is missing, by which the change is known again") }
            position.append(text)
        }
        return position
    }

    /// Of what stays the same when the connector sends the change again: not of the times of sending, nor of what it
    /// says about itself.
    func digest(_ op: String, _ table: String) throws(Refusal) -> Digest {
        var hasher = DigestHasher()
        func combine(_ text: String?) {
            hasher.combine(UInt64(bitPattern: Int64(text?.utf8.count ?? -1)))
            var text = text ?? ""
            text.withUTF8 { hasher.combine(UnsafeRawBufferPointer($0)) }
        }
        for text in try position() { combine(text) }
        for name in ["name", "db", "schema"] { combine(source?.member(name)?.string) }
        combine(table)
        combine(op)
        combine(payload.member("transaction")?.member("total_order").flatMap { $0.string ?? $0.integer.map { String($0) } })
        for node in [key, payload.member("before"), payload.member("after")] {
            combine(node?.digest.hex)
        }
        return hasher.finalize()
    }
}
