import Events
import Models
import Values

/// What a new build holds beside the live one, just before readers go over: how many documents, and whether a sample of them
/// is the same byte for byte; in their fields alone, where one of them was loaded from a source of truth and knows other positions.
public struct BuildComparison: Hashable, Sendable {
    public var liveDocuments: Int64 = 0
    public var newDocuments: Int64 = 0
    public var sampled = 0
    /// Keys of the sample whose documents differ, or that only one of the builds has.
    public var different: [String] = []
    /// The builds were made under other definitions, by other folds or of other histories: that they differ is no surprise.
    public var isExpected = false
    /// One of them was loaded, or each at another time.
    public var isOfOtherHistory = false

    /// How many documents are looked at.
    static let sampleSize = 1000
    /// An event that only one of the builds has makes a document differ for a moment.
    private static let looks = 5
    private static let pause = Duration.milliseconds(100)

    public init() {}

    /// - Parameter catchUp: brings the new build to where the log ends.
    static func of(_ build: StoredBuild, with live: StoredBuild, _ store: any RebuildStore, catchUp: () async throws -> Void) async throws -> BuildComparison {
        var comparison = BuildComparison()
        comparison.isOfOtherHistory = build.loaded != live.loaded
        comparison.isExpected = build.foldHash != live.foldHash || build.foldVersion != live.foldVersion || comparison.isOfOtherHistory
        comparison.liveDocuments = try await store.count(of: live.id)
        comparison.newDocuments = try await store.count(of: build.id)
        var keys = try await store.sample(of: live.id, sampleSize)
        comparison.sampled = keys.count
        for look in 1...looks where !keys.isEmpty {
            try await catchUp()
            let time = try await store.clock()
            let old = try await documents(live.id, keys, at: time, whole: !comparison.isOfOtherHistory, store)
            let new = try await documents(build.id, keys, at: time, whole: !comparison.isOfOtherHistory, store)
            keys = keys.filter { old[ExactString($0)] != new[ExactString($0)] }
            // A definition that says something else is not waited for.
            if comparison.isExpected || look == looks || keys.isEmpty { break }
            try await Task.sleep(for: pause)
        }
        comparison.different = keys.sorted()
        return comparison
    }

    private static func documents(
        _ build: BuildID, _ keys: [String], at time: Int64, whole: Bool, _ store: any RebuildStore
    ) async throws -> [ExactString: [UInt8]] {
        var found: [ExactString: [UInt8]] = [:]
        for stored in try await store.documents(of: build, keys: keys) {
            let document = StoredDocument(try Document(bson: stored.bson))
            if document?.isExpired(at: time) ?? false { continue }
            found[ExactString(stored.key)] = whole ? stored.bson : (document?.fields).map(BSON.encode) ?? stored.bson
        }
        return found
    }
}
