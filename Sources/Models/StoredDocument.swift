import Values

/// The last event that changed a document.
public struct DocumentPosition: Hashable, Sendable {
    public var partition: Int
    public var offset: Int64
    /// Event time, or the time of logging where the event has none: milliseconds since 1970.
    public var time: Int64

    public init(partition: Int, offset: Int64, time: Int64) {
        self.partition = partition
        self.offset = offset
        self.time = time
    }

    /// nil for what is not one.
    public init?(_ value: Value) {
        guard let position = value.asDocument, position.fields.count == 3, case .int32(let partition)? = position["p"],
            case .int64(let offset)? = position["o"], case .date(let time)? = position["t"]
        else { return nil }
        self.init(partition: Int(partition), offset: offset, time: time)
    }

    var value: Value { ["p": .int32(Int32(partition)), "o": .int64(offset), "t": .date(time)] }
}

/// A document as it is stored: `{_id: key, _position: {p, o, t}, …fields}`, and `_expires` before the fields where its model
/// has a `ttl`.
public struct StoredDocument: Sendable, Equatable {
    public var key: String
    public var position: DocumentPosition
    /// An event that is logged then or later finds it absent: milliseconds since 1970.
    public var expires: Int64?
    public var fields: Document

    public init(key: String, position: DocumentPosition, expires: Int64? = nil, fields: Document) {
        self.key = key
        self.position = position
        self.expires = expires
        self.fields = fields
    }

    public func isExpired(at time: Int64) -> Bool { expires.map { $0 <= time } ?? false }

    public func unlessExpired(at time: Int64) -> StoredDocument? { isExpired(at: time) ? nil : self }

    /// nil without a valid `_position`: somebody else wrote it, and it counts as absent.
    public init?(_ document: Document) {
        guard let key = document["_id"]?.asString, let position = document["_position"].flatMap(DocumentPosition.init) else { return nil }
        var fields = document
        fields["_id"] = nil
        fields["_position"] = nil
        var expires: Int64?
        // Nowhere else: for the documents of most models this is all that it costs.
        if let first = fields.fields.first, first.name == Self.expiryField {
            expires = first.value.asDate
            fields.fields.removeFirst()
        }
        self.init(key: key, position: position, expires: expires, fields: fields)
    }

    /// Fields that are Millrace's own, and no reader's.
    public static let hiddenFields = ["_position", expiryField, orphanField, Contribute.field]
    /// When the document is there no more.
    public static let expiryField = "_expires"
    /// Marks a document that no root event has made whole yet.
    public static let orphanField = "_orphan"

    /// Of `_id` without the key, `_position` and `_expires`, and of what is around them.
    private static let headSize = 78

    /// As MongoDB keeps it.
    public var bson: [UInt8] {
        // Member by member: made as a document first, the head took a third of the time.
        BSON.bytes(Self.headSize + key.utf8.count + BSON.size(of: fields)) { cursor in
            let start = cursor.open()
            cursor.write("_id", .string(key))
            let place = cursor.open("_position")
            cursor.write("p", .int32(Int32(position.partition)))
            cursor.write("o", .int64(position.offset))
            cursor.write("t", .date(position.time))
            cursor.close(place)
            if let expires { cursor.write(Self.expiryField, .date(expires)) }
            cursor.writeMembers(of: fields)
            cursor.close(start)
        }
    }
}

/// One write of a document: at most one per document and transaction.
public enum DocumentWrite: Sendable, Equatable {
    case insert(key: String, bson: [UInt8])
    /// Sets and removes top-level fields; the position is among the set ones.
    case update(key: String, set: Document, unset: [String])
    case replace(key: String, bson: [UInt8])
    /// Replaces what is there, or inserts where nothing is: for a document that is not what the log makes it.
    case put(key: String, bson: [UInt8])
    case delete(key: String)

    public var key: String {
        switch self {
        case .insert(let key, _), .update(let key, _, _), .replace(let key, _), .put(let key, _), .delete(let key): key
        }
    }

    /// The write that turns the stored document into the folded one, or nil when nothing changed.
    ///
    /// A document whose fields came back to what they were still moves its position. A change is sent as `$set` and
    /// `$unset` of top-level fields where MongoDB then stores exactly the folded order, else as a replacement.
    ///
    /// - Parameter bson: what `after` is as BSON, where the caller has it.
    public static func change(from before: StoredDocument?, to after: StoredDocument?, bson: [UInt8]? = nil) -> DocumentWrite? {
        switch (before, after) {
        case (nil, nil): return nil
        case (nil, let after?): return .insert(key: after.key, bson: bson ?? after.bson)
        case (let before?, nil): return .delete(key: before.key)
        case (let before?, let after?):
            if before == after { return nil }
            // Where only one of them expires, the field would be added at the end.
            guard (before.expires == nil) == (after.expires == nil), let (set, unset) = difference(before.fields, after.fields) else {
                return .replace(key: after.key, bson: bson ?? after.bson)
            }
            var own: Document = ["_position": after.position.value]
            if let expires = after.expires, expires != before.expires { own.append(StoredDocument.expiryField, .date(expires)) }
            return .update(key: after.key, set: Document(own.fields + set.fields), unset: unset)
        }
    }

    /// The fields to set and to remove, or nil when that would not give the same order or cannot be said in an update.
    private static func difference(_ before: Document, _ after: Document) -> (set: Document, unset: [String])? {
        var set = Document()
        var unset: [String] = []
        var place = 0
        // Fields that stay must stand first and in their old order, since an update leaves them where they are …
        for field in before.fields {
            if place < after.fields.count, after.fields[place].name.utf8Equal(field.name) {
                if after.fields[place].value != field.value { set.append(field.name, after.fields[place].value) }
                place += 1
            } else {
                unset.append(field.name)
            }
        }
        // … and an update appends what it adds in its own order: by name.
        let added = after.fields[place...]
        if added.count > 1 {
            guard added.allSatisfy({ !isIndex($0.name) }), zip(added, added.dropFirst()).allSatisfy({ Value.order(.string($0.name), .string($1.name)) < 0 })
            else { return nil }
        }
        // A field that is removed and added again in one update would conflict with itself.
        guard added.allSatisfy({ field in !unset.contains { $0.utf8Equal(field.name) } }) else { return nil }
        set.fields.append(contentsOf: added)
        guard set.fields.allSatisfy({ isPlain($0.name) }), unset.allSatisfy(isPlain) else { return nil }
        return (set, unset)
    }

    /// Whether an update can name the field: the empty name, dots and a leading dollar mean something else there.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && !name.utf8.contains(UInt8(ascii: ".")) && name.utf8.first != UInt8(ascii: "$")
    }

    /// MongoDB orders names that are numbers by value.
    private static func isIndex(_ name: String) -> Bool { name.utf8.allSatisfy { 48...57 ~= $0 } }
}
