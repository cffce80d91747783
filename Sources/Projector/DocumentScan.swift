import Events
import Values

/// Stored documents of a build, as a reconcile goes through them.
public protocol DocumentScan: Sendable {
    /// The sums of all documents whose ids are strings. In the order of storage, which is several times faster than that of
    /// keys.
    func sums(of build: BuildID) async throws -> DocumentSums

    /// The documents whose keys are in some buckets, in no order; nil where there are more than `most`.
    func documents(of build: BuildID, in buckets: KeyBuckets, most: Int) async throws -> ScannedPage?

    /// The next documents in the order of their keys, at most so many.
    ///
    /// - Parameters:
    ///   - start: the first key that is wanted, or the last one that is not.
    ///   - end: the first one that is not wanted any more; nil for all.
    func page(of build: BuildID, from start: ScanStart, below end: String?, most: Int) async throws -> ScannedPage

    /// Ids of documents that are no strings, at most so many.
    func foreign(of build: BuildID, most: Int) async throws -> [Value]
}

public enum ScanStart: Hashable, Sendable {
    case at(String)
    case after(String)
}

/// Documents without their contents: keys, and the digest of each one's BSON.
public struct ScannedPage: Sendable {
    public var keys: KeyColumn
    public var digests: [Digest]
    /// There are no more behind it.
    public var isLast: Bool

    public init(keys: KeyColumn = KeyColumn(), digests: [Digest] = [], isLast: Bool = true) {
        self.keys = keys
        self.digests = digests
        self.isLast = isLast
    }
}
