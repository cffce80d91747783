import Events
import HTTPTypes
import Reads
import Synchronization

/// What is served, and what it is read by.
public final class ReadSetup: Sendable {
    /// By name.
    let models: [String: ReadModel]
    let incarnation: String
    /// Millrace's.
    let version: String
    /// On secondaries, and on the primary: without one, the others go on.
    private let lookups: Lookups
    private let primaryLookups: Lookups
    let pages: Pages
    let caughtUp: CaughtUp
    let past: Past
    let site: ReadSite
    private let follower: CacheFollower
    private let probe: ReadProbe
    /// How long a read may take.
    let deadline: Duration
    let admission: Admission
    let load: ModelLoad

    /// - Parameters:
    ///   - rate: requests a second in all; nil for no limit.
    ///   - concurrency: requests of one model at once; more are refused.
    public init(
        models: [ReadModel], incarnation: String, version: String, site: ReadSite, lookups: Lookups, primaryLookups: Lookups, pages: Pages, caughtUp: CaughtUp,
        past: Past,
        follower: CacheFollower, probe: ReadProbe, tokens: TokenBook, issued: IssuedTokens?, storm: Storm, deadline: Duration, rate: Int?, concurrency: Int
    ) {
        self.models = Dictionary(uniqueKeysWithValues: models.map { ($0.name, $0) })
        self.incarnation = incarnation
        self.version = version
        self.site = site
        self.follower = follower
        self.probe = probe
        follower.open()
        self.lookups = lookups
        self.primaryLookups = primaryLookups
        self.pages = pages
        self.caughtUp = caughtUp
        self.past = past
        self.deadline = deadline
        admission = Admission(tokens, issued, storm: storm, rate: rate)
        load = ModelLoad(models.map(\.name), storm, most: concurrency)
    }

    /// Why nothing can be read; nil where it can.
    func fault() async -> String? { await probe.fault() }

    /// A model as somebody sees it: one that he may not read is none.
    func model(_ name: String, for token: AccessToken?) throws(HTTPProblem) -> ReadModel {
        guard let model = models[name], token?.models?.contains(name) ?? true else {
            throw HTTPProblem(.noSuchModel, "there is no such model", hint: "GET /v1 names the models")
        }
        return model.limited(to: token?.fields)
    }

    /// The models that somebody may read, as he sees them, by name.
    func models(for token: AccessToken?) -> [ReadModel] {
        models.values.sorted { $0.name < $1.name }.filter { token?.models?.contains($0.name) ?? true }.map { $0.limited(to: token?.fields) }
    }

    func lookups(at place: ReadPlace) -> Lookups { place == .primary ? primaryLookups : lookups }

    func position(_ offsets: [PartitionID: Int64]) -> String {
        offsets.keys.sorted().compactMap { partition in offsets[partition].map { position($0, of: partition) } }.joined(separator: ", ")
    }

    func position(_ offset: Int64, of partition: PartitionID) -> String {
        Position(incarnation: incarnation, partition: partition, offset: offset).description
    }
}

/// How many requests of each model are under way: one that is asked for without end leaves the others their part.
final class ModelLoad: Sendable {
    private let storm: Storm
    private let most: Int
    private let counts: Mutex<[String: Int]>

    init(_ models: [String], _ storm: Storm, most: Int) {
        self.storm = storm
        self.most = most
        counts = Mutex(Dictionary(uniqueKeysWithValues: models.map { ($0, 0) }))
    }

    /// Whether there may be one more, until it ends.
    func begin(_ model: String) -> Bool {
        let isAdmitted = counts.withLock { counts in
            guard counts[model, default: 0] < most else { return false }
            counts[model, default: 0] += 1
            return true
        }
        if !isAdmitted { storm.refused() }
        return isAdmitted
    }

    func end(_ model: String) { counts.withLock { $0[model, default: 0] -= 1 } }
}
