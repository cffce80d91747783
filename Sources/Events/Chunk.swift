import Values

/// Running totals of a partition, up to and including a chunk.
public struct LogTotals: Hashable, Sendable {
    public var received: Int64 = 0
    public var duplicates: Int64 = 0
    /// Elements that are no event of this partition: not decodable, in another partition's list, or with a used id.
    public var undecodable: Int64 = 0

    public init(received: Int64 = 0, duplicates: Int64 = 0, undecodable: Int64 = 0) {
        self.received = received
        self.duplicates = duplicates
        self.undecodable = undecodable
    }

    /// Everything but duplicates.
    public var logged: Int64 { received - duplicates }
    /// Events that took a place in the dedupe window.
    public var originals: Int64 { received - duplicates - undecodable }

    public static func + (left: LogTotals, right: LogTotals) -> LogTotals {
        LogTotals(
            received: left.received + right.received, duplicates: left.duplicates + right.duplicates, undecodable: left.undecodable + right.undecodable)
    }
}

/// A contiguous run of offsets of one partition: one document of the event log.
public struct Chunk: Sendable {
    /// The newest format that this code reads. It writes 2 where a chunk says how its elements are read, 3 where something
    /// was taken out of it, 4 where it was merged with others, and else 1, which older versions of Millrace read as well.
    public static let format: Int32 = 4

    public var partition: PartitionID
    /// The offset of the first element.
    public var offset: Int64
    /// The identity of the segment the elements came from, and the first one's index in it.
    public var segment: String
    public var index: Int64
    /// When it was logged, by MongoDB's clock: milliseconds since 1970.
    public var at: Int64
    /// Time along the log in milliseconds, with no gap counted for more than `maximumAgeStep`.
    public var age: Int64
    public var totals: LogTotals
    /// How its events are read.
    public var shape: EventShape = .plain
    /// The distinct keys, in order of first appearance.
    public var keys: [ExactString] = []
    public var types: [ExactString] = []
    public var elements: [Element] = []
    /// What refused elements were refused for; elements point here.
    public var refusals: [Refusal] = []
    /// 32 bytes an element: the digests of its id and of its content; zero where the element took no place in the
    /// dedupe window.
    public var digests: [UInt8] = []
    /// The elements' bytes, end to end, without those of duplicates; oversize ones by their head.
    public var raw: [UInt8] = []
    /// Indexes in the segment of oversize elements, duplicates among them.
    public var oversize: [Int64] = []

    /// A stopped pipeline must not let ids grow old: a gap counts for a minute at most.
    public static let maximumAgeStep: Int64 = 60_000
    public static let digestBytes = 32

    public struct Element: Sendable, Hashable {
        public enum Kind: UInt8, Sendable {
            case event = 0
            case duplicate = 1
            case refused = 2
            /// An event of which nothing is left but its offset.
            case erased = 3
        }

        public var kind: Kind
        /// Index into `types` and `keys`; -1 where the element has none.
        public var type: Int32 = -1
        public var key: Int32 = -1
        /// Event time; `Int64.min` where the event has none.
        public var time: Int64 = .min
        /// Where its bytes lie in `raw`.
        public var start: Int = 0
        public var length: Int = 0
        /// A duplicate's original offset; a refused element's index into `refusals`.
        public var reference: Int64 = 0

        public init(kind: Kind) { self.kind = kind }
    }

    public var count: Int { elements.count }
    /// The offset after the last element.
    public var end: Int64 { offset + Int64(elements.count) }

    /// An element's bytes; empty for a duplicate.
    public func bytes(at place: Int) -> ArraySlice<UInt8> { raw[elements[place].start..<elements[place].start + elements[place].length] }

    public func type(of element: Element) -> String? { element.type < 0 ? nil : types[Int(element.type)].text }
    public func key(of element: Element) -> String? { element.key < 0 ? nil : keys[Int(element.key)].text }
    public func time(of element: Element) -> Int64? { element.time == .min ? nil : element.time }

    /// The digests of an element's id and content.
    public func digests(of place: Int) -> (id: Digest, content: Digest) { Chunk.digests(at: place, in: digests) }

    static func digests(at place: Int, in block: [UInt8]) -> (id: Digest, content: Digest) {
        block.withUnsafeBytes { bytes in
            func word(_ index: Int) -> UInt64 {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place * digestBytes + 8 * index, as: UInt64.self))
            }
            return (Digest(low: word(0), high: word(1)), Digest(low: word(2), high: word(3)))
        }
    }

    mutating func appendDigests(id: Digest, content: Digest) {
        let words = (id.low.littleEndian, id.high.littleEndian, content.low.littleEndian, content.high.littleEndian)
        withUnsafeBytes(of: words) { digests.append(contentsOf: $0) }
    }

    /// Parses the bytes of the events at these offsets again, for a chunk that was read from the log. The rest parses as
    /// empty: what was refused may have been refused because it cannot be parsed and survived.
    func parse(_ offsets: Range<Int64>, of wanted: Set<ExactString>? = nil) -> JSONTape {
        let isWanted = wanted.map { wanted in keys.map(wanted.contains) }
        let lengths = elements.enumerated().map { place, element in
            element.kind == .event && offsets.contains(offset + Int64(place)) && isWanted?[Int(element.key)] ?? true ? UInt32(element.length) : 0
        }
        return JSONTape(parsing: raw, offsets: elements.map { UInt64($0.start) }, lengths: lengths)
    }
}

/// A chunk with its elements parsed: what ingest hands to project, and what reading the log gives.
///
/// A class, because a fold reaches for it with every event: a copy would count a dozen references.
public final class DecodedChunk: Sendable {
    public let chunk: Chunk
    public let tape: JSONTape
    /// The tape's number of the chunk's first element.
    public let firstText: Int

    public init(chunk: Chunk, tape: JSONTape, firstText: Int) {
        self.chunk = chunk
        self.tape = tape
        self.firstText = firstText
    }

    public convenience init(parsing chunk: Chunk) { self.init(parsing: chunk, 0..<Int64.max) }

    /// - Parameters:
    ///   - offsets: of the events that will be asked for.
    ///   - keys: of those events; nil for all.
    public convenience init(parsing chunk: Chunk, _ offsets: Range<Int64>, of keys: Set<ExactString>? = nil) {
        self.init(chunk: chunk, tape: chunk.parse(offsets, of: keys), firstText: 0)
    }

    /// The event at a place, for an element of kind event.
    public func event(at place: Int) -> Event? {
        let element = chunk.elements[place]
        guard element.kind == .event, case .success(let root) = tape.root(firstText + place) else { return nil }
        return Event(
            type: chunk.types[Int(element.type)], key: chunk.keys[Int(element.key)].text, time: chunk.time(of: element), root: root, shape: chunk.shape
        )
    }
}
