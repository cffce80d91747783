import Values

extension Chunk {
    /// The chunk without its first elements, as if they had been logged in a chunk of their own. Its totals stay.
    public func dropping(first count: Int) -> Chunk {
        guard count > 0, count <= elements.count else { return self }
        var rest = self
        let start = count < elements.count ? elements[count].start : raw.count
        rest.offset += Int64(count)
        rest.index += Int64(count)
        rest.elements = elements[count...].map { element in
            var element = element
            element.start -= start
            return element
        }
        rest.raw = Array(raw[start...])
        rest.digests = Array(digests[(count * Chunk.digestBytes)...])
        rest.oversize = oversize.filter { $0 >= rest.index }
        return rest.compacted()
    }

    /// How many of its elements are of each kind, as totals count them.
    public var own: LogTotals {
        LogTotals(
            received: Int64(count), duplicates: Int64(elements.count { $0.kind == .duplicate }), undecodable: Int64(elements.count { $0.kind == .refused }))
    }

    /// The same with tables of nothing but the types, keys and refusals that its elements have.
    func compacted() -> Chunk {
        var (types, keys, refusals) = (Renumbering(), Renumbering(), Renumbering())
        var chunk = self
        for place in elements.indices {
            chunk.elements[place].type = types.number(elements[place].type)
            chunk.elements[place].key = keys.number(elements[place].key)
            guard elements[place].kind == .refused else { continue }
            chunk.elements[place].reference = Int64(refusals.number(Int32(elements[place].reference)))
        }
        chunk.types = types.kept.map { self.types[$0] }
        chunk.keys = keys.kept.map { self.keys[$0] }
        chunk.refusals = refusals.kept.map { self.refusals[$0] }
        return chunk
    }

    /// Numbers in order of first appearance.
    private struct Renumbering {
        private(set) var kept: [Int] = []
        private var numbers: [Int32: Int32] = [:]

        mutating func number(_ old: Int32) -> Int32 {
            guard old >= 0 else { return old }
            if let known = numbers[old] { return known }
            let new = Int32(kept.count)
            numbers[old] = new
            kept.append(Int(old))
            return new
        }
    }
}
