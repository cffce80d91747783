import Events
import Models
import Values

/// What a new build holds beside the live one, just before readers go over: how many documents, and whether a sample of them
/// is the same byte for byte.
public struct BuildComparison: Hashable, Sendable {
    public var liveDocuments: Int64 = 0
    public var newDocuments: Int64 = 0
    public var sampled = 0
    /// Keys of the sample whose documents differ, or that only one of the builds has.
    public var different: [String] = []
    /// The builds were made under other definitions, or by other folds: that they differ is no surprise.
    public var isExpected = false

    /// How many documents are looked at.
    static let sampleSize = 1000
    /// An event that only one of the builds has makes a document differ for a moment.
    private static let looks = 5
    private static let pause = Duration.milliseconds(100)

    public init() {}

    /// - Parameter catchUp: brings the new build to where the log ends.
    static func of(_ build: StoredBuild, with live: StoredBuild, _ store: any RebuildStore, catchUp: () async throws -> Void) async throws -> BuildComparison {
        var comparison = BuildComparison()
        comparison.isExpected = build.foldHash != live.foldHash || build.foldVersion != live.foldVersion
        comparison.liveDocuments = try await store.count(of: live.id)
        comparison.newDocuments = try await store.count(of: build.id)
        var keys = try await store.sample(of: live.id, sampleSize)
        comparison.sampled = keys.count
        for look in 1...looks where !keys.isEmpty {
            try await catchUp()
            let time = try await store.clock()
            let (old, new) = (try await documents(live.id, keys, at: time, store), try await documents(build.id, keys, at: time, store))
            keys = keys.filter { old[ExactString($0)] != new[ExactString($0)] }
            // A definition that says something else is not waited for.
            if comparison.isExpected || look == looks || keys.isEmpty { break }
            try await Task.sleep(for: pause)
        }
        comparison.different = keys.sorted()
        return comparison
    }

    private static func documents(_ build: BuildID, _ keys: [String], at time: Int64, _ store: any RebuildStore) async throws -> [ExactString: [UInt8]] {
        let found = try await store.documents(of: build, keys: keys).filter { _, bson in
            !(StoredDocument(try Document(bson: bson))?.isExpired(at: time) ?? false)
        }
        return Dictionary(found.map { (ExactString($0.key), $0.bson) }, uniquingKeysWith: { $1 })
    }
}
