import Values

/// Debezium's change events in JSON (debezium.io/documentation, "Change event values"), with and without their schemas.
///
/// An element is the message's value, or `{"key": …, "value": …}` with the message's key beside it.
public struct DebeziumFormat: Hashable, Sendable {
    /// The table whose inserted rows are events themselves, in the columns that Debezium's outbox router reads.
    public var outbox: String?

    public init(outbox: String? = nil) { self.outbox = outbox }

    private static let operations = ["c", "u", "d", "r", "t"]

    func envelope(of root: JSONNode, _ shape: EventShape, _ source: KeySource) throws(Refusal) -> Envelope {
        let change = ChangeEvent(root)
        guard change.payload.kind != .null else {
            guard let key = try change.ownKey() else { throw Self.tombstone }
            let text = try Envelope.key(key, "key", root, shape, .envelope).string
            return Envelope(id: .made("tombstone " + text), type: .made("tombstone"), key: .made(text), time: nil)
        }
        guard let op = change.payload.member("op")?.string, Self.operations.contains(op) else {
            throw Refusal(
                .badEventType,
                "op must be c, u, d, r or t: leave heartbeats, schema changes and transaction markers off this list"
            )
        }
        let table = try change.table()
        let sides = try change.sides()
        let time = (change.source?.member("ts_ms") ?? change.payload.member("ts_ms"))?.integer
        let content = try change.digest(op, table)
        if let row = outboxRow(table, op, sides.after) {
            return Envelope(
                id: .made(try Self.text(row, "id", .badEventId)), type: .made(try Self.text(row, "type", .badEventType)),
                key: try Envelope.key(row["aggregateid"].map(EventMember.value), "aggregateid", root, shape, .envelope), time: time,
                content: change.payload.member("after")?.digest
            )
        }
        return Envelope(
            id: .made(try change.id(content)), type: .made(table + "." + op), key: try key(change, table, root, shape, source), time: time, content: content
        )
    }

    func member(_ name: Event.MemberName, of root: JSONNode) throws(Refusal) -> EventMember? {
        let change = ChangeEvent(root)
        guard change.payload.kind == .object else { return nil }
        switch name {
        case .op: return change.payload.member("op").map(EventMember.node)
        case .before: return try change.sides().before.map(EventMember.value)
        case .after: return try change.sides().after.map(EventMember.value)
        case .row:
            let sides = try change.sides()
            return (sides.after ?? sides.before).map(EventMember.value)
        case .eventId, .data:
            guard let op = change.payload.member("op")?.string else { return nil }
            let table = try change.table()
            let row = outboxRow(table, op, try change.sides().after)
            if name == .data { return row?["payload"].map { .value(NestedJSON.unfold($0)) } }
            if let row { return row["id"].map(EventMember.value) }
            return .value(.string(try change.id(change.digest(op, table))))
        default: return nil
        }
    }

    static let tombstone = Refusal(
        .tombstone, "a tombstone without its key does not say which row it is about: set tombstones.on.delete=false, the d event before it says the same"
    )

    private func outboxRow(_ table: String, _ op: String, _ after: Value?) -> Document? {
        outbox == table && (op == "c" || op == "r") ? after?.asDocument : nil
    }

    private static func text(_ row: Document, _ column: String, _ problem: Problem) throws(Refusal) -> String {
        guard let text = row[column]?.asString else { throw Refusal(problem, "the outbox's column \(column) must be text") }
        guard Envelope.nameLength.contains(text.utf8.count) else {
            throw Refusal(problem, "the outbox's column \(column) must have 1 to \(Envelope.nameLength.upperBound) bytes, has \(text.utf8.count)")
        }
        return text
    }

    private func key(_ change: ChangeEvent, _ table: String, _ root: JSONNode, _ shape: EventShape, _ source: KeySource) throws(Refusal) -> Envelope.Name {
        let source = source.ofTable(table)
        if case .envelope = source, change.key == nil {
            throw Refusal(.noKey, "the element holds no key of the message, and the stream's keys: do not name the table \(table)")
        }
        return try Envelope.key(source == .envelope ? change.ownKey() : nil, "the message's key", root, shape, source)
    }
}

extension KeySource {
    fileprivate func ofTable(_ table: String) -> KeySource {
        guard case .tables(let paths) = self else { return self }
        return paths[table].map(KeySource.path) ?? .envelope
    }
}
