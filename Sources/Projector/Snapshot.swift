import Events
import Values

/// Which snapshot: of one build and partition, at an offset, by one attempt to make it.
public struct SnapshotID: Hashable, Sendable, CustomStringConvertible {
    public var build: BuildID
    public var partition: PartitionID
    /// Every element below it is folded.
    public var offset: Int64
    /// Random: what a frozen attempt writes when it thaws is never taken for another's.
    public var attempt: String

    public init(build: BuildID, partition: PartitionID, offset: Int64, attempt: String) {
        self.build = build
        self.partition = partition
        self.offset = offset
        self.attempt = attempt
    }

    public var description: String { "the snapshot of \(build) at \(partition)@\(offset)" }
}

/// What a snapshot is of, and whether it can be used.
///
/// Its blocks are written before it is complete, and nobody reads those of one that is not.
public struct Snapshot: Hashable, Sendable {
    /// What it is kept for. One that serves two has the one that keeps it longer, which is the later one here.
    public enum Purpose: String, Hashable, Sendable, CaseIterable, Comparable {
        /// Left by a reconcile, for the next one.
        case reconcile
        /// Asked for by somebody, as a place in history.
        case history
        /// What a month has come to.
        case monthEnd = "month-end"
        /// What a build was loaded with: its history begins here, and nothing can replace it.
        case load

        public static func < (left: Purpose, right: Purpose) -> Bool {
            (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
        }
    }

    public var id: SnapshotID
    public var purpose: Purpose
    public var isComplete = false
    /// It goes back to what its build was loaded with, and tells nothing of other builds.
    public var isLoaded: Bool
    /// The definition it was folded under.
    public var foldHash: String
    public var foldVersion: Int32
    /// When the last element before it was logged: milliseconds since 1970. What had expired by then is left out.
    public var time: Int64
    /// Of what was decided about the events before it. A decision that is made, or lifted, later makes it another's truth.
    public var decisions: Digest
    /// Keys, also those without a document whose later events are held.
    public var rows: Int64 = 0
    public var documents: Int64 = 0
    /// Of the documents as they are stored.
    public var bytes: Int64 = 0
    public var blocks = 0

    public init(
        id: SnapshotID, purpose: Purpose, isLoaded: Bool = false, foldHash: String, foldVersion: Int32, time: Int64, decisions: Digest
    ) {
        self.id = id
        self.purpose = purpose
        self.isLoaded = isLoaded
        self.foldHash = foldHash
        self.foldVersion = foldVersion
        self.time = time
        self.decisions = decisions
    }
}

/// A key of a snapshot, with its document as it is stored.
public struct SnapshotRow: Hashable, Sendable {
    public var key: ExactString
    /// Empty where there is no document.
    public var bson: [UInt8]
    /// An event of the key is parked, and later ones are held.
    public var isHeld: Bool

    public init(key: ExactString, bson: [UInt8], isHeld: Bool = false) {
        self.key = key
        self.bson = bson
        self.isHeld = isHeld
    }
}

/// What a block of a snapshot says without its documents: some hundreds of keys in order, and a digest of each one's
/// document as it is stored.
public struct SnapshotIndex: Hashable, Sendable {
    public var keys: KeyColumn
    /// `Digest.none` for a key without a document.
    public var digests: [Digest]
    public var isHeld: [Bool]

    public init(keys: KeyColumn = KeyColumn(), digests: [Digest] = [], isHeld: [Bool] = []) {
        self.keys = keys
        self.digests = digests
        self.isHeld = isHeld
    }

    public init(of rows: [SnapshotRow]) {
        self.init()
        for row in rows {
            keys.append(row.key.text)
            digests.append(row.bson.isEmpty ? .none : Digest(of: row.bson))
            isHeld.append(row.isHeld)
        }
    }

    /// - Parameter body: gets the key of each document, in UTF-8, and its digest.
    func forEachDocument(_ body: (_ key: UnsafeRawBufferPointer, _ digest: Digest) -> Void) {
        keys.bytes.withUnsafeBytes { bytes in
            for (row, digest) in digests.enumerated() where digest != .none { body(UnsafeRawBufferPointer(rebasing: bytes[keys.range(at: row)]), digest) }
        }
    }
}

/// Keys in order, end to end: a million of them cost no million strings.
public struct KeyColumn: Hashable, Sendable {
    public private(set) var bytes: [UInt8] = []
    /// Where each key ends.
    public private(set) var ends: [Int] = []

    public init() {}

    public var count: Int { ends.count }
    public var isEmpty: Bool { ends.isEmpty }

    public mutating func append(_ key: String) {
        bytes.append(contentsOf: key.utf8)
        ends.append(bytes.count)
    }

    public mutating func append(_ key: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: key)
        ends.append(bytes.count)
    }

    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    public func range(at place: Int) -> Range<Int> { (place == 0 ? 0 : ends[place - 1])..<ends[place] }

    public subscript(place: Int) -> String { String(decoding: bytes[range(at: place)], as: UTF8.self) }

    public var last: String? { isEmpty ? nil : self[count - 1] }

    /// Whether two keys are the same: the question that is asked once for each document.
    @inline(__always)
    func isEqual(at place: Int, to other: KeyColumn, at otherPlace: Int) -> Bool {
        let (own, others) = (range(at: place), other.range(at: otherPlace))
        guard own.count == others.count else { return false }
        return bytes.withUnsafeBytes { left in
            other.bytes.withUnsafeBytes { right in
                UnsafeRawBufferPointer(rebasing: left[own]).hasSameBytes(as: UnsafeRawBufferPointer(rebasing: right[others]))
            }
        }
    }

    /// By bytes, as MongoDB sorts.
    func isBefore(_ place: Int, _ other: KeyColumn, _ otherPlace: Int) -> Bool {
        bytes[range(at: place)].lexicographicallyPrecedes(other.bytes[other.range(at: otherPlace)])
    }
}

extension Digest {
    /// Of decisions about events below an offset.
    init(of decisions: [Int64: Decision], below offset: Int64) {
        var hasher = DigestHasher()
        for (place, decision) in decisions.filter({ $0.key < offset }).sorted(by: { $0.key < $1.key }) {
            hasher.combine(UInt64(bitPattern: place))
            Array(decision.rawValue.utf8).withUnsafeBytes { hasher.combine($0) }
        }
        self = hasher.finalize()
    }
}
