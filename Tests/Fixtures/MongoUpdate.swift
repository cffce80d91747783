import Values

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
