import Glibc
import Values

/// The recent event ids of a partition, exact: which were logged, where, and with which content.
///
/// A ring of entries in log order beside a chained hash table over it, 52 to 56 bytes an id. The ring's memory is reserved
/// at once and used as it fills; the table grows, since ids lead anywhere in it and would touch all of it at once. Not
/// thread-safe: it belongs to the ingest of one partition.
public final class DedupeWindow {
    /// The two bounds of rule 10, and the wider one that holds while a segment that Redis resurrected is read.
    public struct Bounds: Hashable, Sendable {
        /// Milliseconds along the log.
        public var age: Int64
        public var originals: Int
        /// At most this many originals back, an id counts whatever its age.
        public var originalsAtAnyAge: Int = 0

        public init(age: Int64, originals: Int, originalsAtAnyAge: Int = 0) {
            self.age = age
            self.originals = originals
            self.originalsAtAnyAge = originalsAtAnyAge
        }

        public var capacity: Int { max(originals, originalsAtAnyAge) }
    }

    /// What the window knows of an id.
    public enum Finding: Equatable, Sendable {
        case new
        case duplicate(of: Int64)
        /// The id was used for other content.
        case reused(at: Int64)
    }

    /// 48 bytes. There are as many of them as the window has ids, which is most of the memory that a service takes.
    private struct Entry {
        let id: Digest
        let content: Digest
        // Offset and age have 48 bits each: 280 million million events, 8,900 years.
        private let offsetLow: UInt32
        private let offsetHigh: UInt16
        private let ageHigh: UInt16
        private let ageLow: UInt32
        /// Ring place + 1 of the next older entry in this chain, or 0.
        var next: UInt32

        init(id: Digest, content: Digest, offset: Int64, age: Int64, next: UInt32) {
            self.id = id
            self.content = content
            (offsetLow, offsetHigh) = Self.split(offset)
            (ageLow, ageHigh) = Self.split(age)
            self.next = next
        }

        var offset: Int64 { Int64(offsetHigh) << 32 | Int64(offsetLow) }
        var age: Int64 { Int64(ageHigh) << 32 | Int64(ageLow) }

        private static func split(_ number: Int64) -> (low: UInt32, high: UInt16) {
            (UInt32(truncatingIfNeeded: number), UInt16(truncatingIfNeeded: number >> 32))
        }
    }

    public let bounds: Bounds
    private let capacity: Int
    private let entries: UnsafeMutablePointer<Entry>
    // Not checked for overlapping access, which cannot be here and cost half of an insertion.
    /// Ring place + 1 of each chain's newest entry, or 0.
    @exclusivity(unchecked) private var chains: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) private var chainMask = 1023
    /// Sequence numbers of the oldest entry kept and of the next one.
    @exclusivity(unchecked) private var first = 0
    @exclusivity(unchecked) private(set) var next = 0

    /// Entries beyond the bounds are kept until at least this many have followed, so that `rollback` finds what it undoes
    /// whole: no chunk has more.
    private static let slack = StreamSettings.chunkEventsRange.upperBound + 1

    public init(bounds: Bounds) {
        self.bounds = bounds
        capacity = bounds.capacity + Self.slack
        precondition(capacity < Int(UInt32.max))
        entries = Self.allocate(capacity)
        chains = Self.allocate(chainMask + 1)
    }

    deinit {
        Self.free(entries, capacity)
        Self.free(chains, chainMask + 1)
    }

    /// Zeroed memory that is only used as it is touched, behind its beginning in large pages where the system has them: an id
    /// leads anywhere, but a young window is not worth the time that it takes to find large pages.
    private static func allocate<Element>(_ count: Int) -> UnsafeMutablePointer<Element> {
        let size = count * MemoryLayout<Element>.stride
        guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), memory != MAP_FAILED else {
            preconditionFailure("out of memory")
        }
        if size > small { madvise(memory + small, size - small, Int32(MADV_HUGEPAGE)) }
        return memory.bindMemory(to: Element.self, capacity: count)
    }

    private static let small = 4 << 20

    private static func free<Element>(_ memory: UnsafeMutablePointer<Element>, _ count: Int) {
        munmap(memory, count * MemoryLayout<Element>.stride)
    }

    /// Entries kept.
    public var count: Int { next - first }

    /// What an element with this id and content is, at this age of the log.
    public func find(id: Digest, content: Digest, age: Int64) -> Finding {
        var link = chains[chain(id)]
        while link != 0 {
            let place = Int(link) - 1
            if entries[place].id == id {
                // The newest entry of an id decides: older ones of the same id are further away by both measures.
                let between = next - sequence(of: place) - 1
                let near = between <= bounds.originals && age - entries[place].age <= bounds.age
                guard near || between < bounds.originalsAtAnyAge else { return .new }
                return entries[place].content == content ? .duplicate(of: entries[place].offset) : .reused(at: entries[place].offset)
            }
            link = entries[place].next
        }
        return .new
    }

    /// Adds an original, the newest so far.
    public func insert(id: Digest, content: Digest, offset: Int64, age: Int64) {
        if count == capacity { evictOldest() }
        if count > chainMask { grow() }
        let place = next % capacity
        let chain = chain(id)
        (entries + place).initialize(to: Entry(id: id, content: content, offset: offset, age: age, next: chains[chain]))
        chains[chain] = UInt32(place + 1)
        next += 1
    }

    /// Twice the chains, with the newest entry of each still its first.
    private func grow() {
        Self.free(chains, chainMask + 1)
        chainMask = chainMask * 2 + 1
        chains = Self.allocate(chainMask + 1)
        for sequence in first..<next {
            let place = sequence % capacity
            let chain = chain(entries[place].id)
            entries[place].next = chains[chain]
            chains[chain] = UInt32(place + 1)
        }
    }

    /// Takes the newest entries back, down to a count that `mark` gave at most a chunk ago.
    public func rollback(to mark: Int) {
        while next > mark {
            next -= 1
            let entry = entries[next % capacity]
            chains[chain(entry.id)] = entry.next
        }
    }

    /// A point to roll back to.
    public var mark: Int { next }

    /// Adds the originals of a chunk that was read from the log.
    public func insert(_ chunk: ChunkDigests) {
        for place in 0..<chunk.count {
            let (id, content) = Chunk.digests(at: place, in: chunk.digests)
            if id != .none { insert(id: id, content: content, offset: chunk.offset + Int64(place), age: chunk.age) }
        }
    }

    private func chain(_ id: Digest) -> Int { Int(truncatingIfNeeded: id.low) & chainMask }

    private func sequence(of place: Int) -> Int {
        let newest = (next - 1) % capacity
        return next - 1 - (place <= newest ? newest - place : newest + capacity - place)
    }

    private func evictOldest() {
        let place = first % capacity
        let chain = chain(entries[place].id)
        // The oldest entry of all is the last of its chain.
        if chains[chain] == UInt32(place + 1) {
            chains[chain] = 0
        } else {
            var link = Int(chains[chain]) - 1
            while entries[link].next != UInt32(place + 1) { link = Int(entries[link].next) - 1 }
            entries[link].next = 0
        }
        first += 1
    }
}
