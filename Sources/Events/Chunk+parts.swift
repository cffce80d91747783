import Values

extension Chunk {
    /// The chunk without its first elements, as if they had been logged in a chunk of their own. Its totals stay.
    public func dropping(first count: Int) -> Chunk {
        guard count > 0, count <= elements.count else { return self }
        var rest = part(count..<elements.count)
        rest.offset += Int64(count)
        rest.index += Int64(count)
        rest.oversize = oversize.filter { $0 >= rest.index }
        return rest
    }

    /// Some of the elements, with nothing but what is theirs; the head stays.
    private func part(_ places: Range<Int>) -> Chunk {
        var part = self
        let start = places.lowerBound < count ? elements[places.lowerBound].start : raw.count
        let end = places.upperBound < count ? elements[places.upperBound].start : raw.count
        part.elements = elements[places].map { element in
            var element = element
            element.start -= start
            return element
        }
        part.raw = Array(raw[start..<end])
        part.digests = Array(digests[places.lowerBound * Chunk.digestBytes..<places.upperBound * Chunk.digestBytes])
        return part.compacted()
    }

    /// Consecutive chunks as one, with the head of the first.
    static func joined(_ chunks: [Chunk]) -> Chunk {
        guard var whole = chunks.first, chunks.count > 1 else { return chunks[0] }
        var (types, keys, refusals) = (Union(whole.types), Union(whole.keys), Union(whole.refusals))
        for chunk in chunks.dropFirst() {
            let start = whole.raw.count
            let (typeNumbers, keyNumbers, refusalNumbers) = (types.add(chunk.types), keys.add(chunk.keys), refusals.add(chunk.refusals))
            whole.elements += chunk.elements.map { element in
                var element = element
                if element.type >= 0 { element.type = Int32(typeNumbers[Int(element.type)]) }
                if element.key >= 0 { element.key = Int32(keyNumbers[Int(element.key)]) }
                if element.kind == .refused { element.reference = Int64(refusalNumbers[Int(element.reference)]) }
                element.start += start
                return element
            }
            whole.raw += chunk.raw
            whole.digests += chunk.digests
        }
        (whole.types, whole.keys, whole.refusals) = (types.values, keys.values, refusals.values)
        return whole
    }

    /// The chunks that were joined, by their heads.
    func split(_ heads: [(head: Chunk, count: Int)]) -> [Chunk] {
        var start = 0
        return heads.map { head, count in
            var chunk = part(start..<start + count)
            start += count
            (chunk.offset, chunk.segment, chunk.index, chunk.at, chunk.age) = (head.offset, head.segment, head.index, head.at, head.age)
            (chunk.totals, chunk.oversize) = (head.totals, head.oversize)
            return chunk
        }
    }

    /// Values in order of first appearance.
    private struct Union<Value: Hashable> {
        private(set) var values: [Value]
        private var numbers: [Value: Int]

        init(_ values: [Value]) {
            self.values = values
            numbers = Dictionary(zip(values, values.indices), uniquingKeysWith: { first, _ in first })
        }

        /// Returns the number of each.
        mutating func add(_ more: [Value]) -> [Int] {
            more.map { value in
                if let known = numbers[value] { return known }
                values.append(value)
                numbers[value] = values.count - 1
                return values.count - 1
            }
        }
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
