import Values

/// How many elements were erased, by kind.
public struct ErasedElements: Hashable, Sendable {
    public var chunks: Int64 = 0
    public var events: Int64 = 0
    public var duplicates: Int64 = 0
    public var refused: Int64 = 0

    public init() {}

    public var elements: Int64 { events + duplicates + refused }

    public static func += (left: inout ErasedElements, right: ErasedElements) {
        left.chunks += right.chunks
        left.events += right.events
        left.duplicates += right.duplicates
        left.refused += right.refused
    }

    mutating func count(_ kind: Chunk.Element.Kind) {
        switch kind {
        case .event, .erased: events += 1
        case .duplicate: duplicates += 1
        case .refused: refused += 1
        }
    }
}

extension Chunk {
    /// What stands in the place of a refused element's reason, which may quote it.
    public static let erasedReason = "erased"

    /// Takes from elements everything but their places: bytes, key, type, time and digests. An event is an erased one then,
    /// which takes no effect; a duplicate and a refused element stay what they are, as the totals count them.
    public mutating func erase(where isWanted: (Element) -> Bool) -> ErasedElements {
        var erased = ErasedElements()
        var rest: [UInt8] = []
        rest.reserveCapacity(raw.count)
        for place in elements.indices {
            var element = elements[place]
            let bytes = raw[element.start..<element.start + element.length]
            element.start = rest.count
            if isWanted(element), element.kind != .erased {
                erased.count(element.kind)
                (element.type, element.key, element.time, element.length) = (-1, -1, .min, 0)
                if element.kind == .event { element.kind = .erased }
                if element.kind == .refused { element.reference = refusal(.init(refusals[Int(element.reference)].problem, Self.erasedReason)) }
                digests.replaceSubrange(place * Self.digestBytes..<(place + 1) * Self.digestBytes, with: repeatElement(0, count: Self.digestBytes))
            } else {
                rest += bytes
            }
            elements[place] = element
        }
        guard erased.elements > 0 else { return erased }
        raw = rest
        erased.chunks = 1
        self = compacted()
        return erased
    }

    private mutating func refusal(_ refusal: Refusal) -> Int64 {
        if let known = refusals.firstIndex(of: refusal) { return Int64(known) }
        refusals.append(refusal)
        return Int64(refusals.count - 1)
    }
}
