import Values

// What mongod makes of a write, for those who have none: models are tried without servers.
extension DocumentWrite {
    /// mongod would refuse the write.
    public struct Refused: Error {}

    /// Carries the write out on what is stored under its key, as mongod 6.0 does. False where that is not what the write
    /// was planned for; nothing is changed then.
    public func apply(to stored: inout [UInt8]?) throws -> Bool {
        switch self {
        case .insert(_, let bson):
            guard stored == nil else { return false }
            stored = bson
        case .update(_, let set, let unset):
            guard let before = stored else { return false }
            guard let after = try Document(bson: before).updated(set: set, unset: unset) else { throw Refused() }
            stored = BSON.encode(after)
        case .replace(_, let bson):
            guard stored != nil else { return false }
            stored = bson
        case .put(_, let bson): stored = bson
        case .delete:
            guard stored != nil else { return false }
            stored = nil
        }
        return true
    }
}

extension Document {
    /// The document after `$set` and `$unset` of top-level fields, as mongod 6.0 carries them out: what is there stays in
    /// its place, what is new is appended in the order of names, those that are numbers by their value. nil where mongod
    /// refuses the update.
    public func updated(set: Document, unset: [String]) -> Document? {
        let names = set.fields.map(\.name) + unset
        guard names.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: ".")) && $0.utf8.first != UInt8(ascii: "$") }),
            Set(names.map { ExactString($0) }).count == names.count
        else { return nil }
        var document = self
        let sorted = set.fields.sorted { left, right in
            if let left = Self.number(left.name), let right = Self.number(right.name) { return left < right }
            return Array(left.name.utf8).lexicographicallyPrecedes(Array(right.name.utf8))
        }
        for field in sorted { document[field.name] = field.value }
        for name in unset { document[name] = nil }
        return document
    }

    private static func number(_ name: String) -> Int? { name.utf8.allSatisfy { 48...57 ~= $0 } ? Int(name) : nil }
}
