import EventFixtures
import Events
import Fixtures
import Models
import Projector
import Values

/// Everything about a run that is not its schedule, drawn from the seed.
struct Conditions: Sendable {
    /// What happens now and then beside the workers' calls.
    enum Hazard: CaseIterable, Hashable, Sendable {
        case crash, stop, freeze, lostFence, raisedFence, lostIdentity, rewind, lostLease, repair, foreignDocument, clockJump, lateCall
    }

    var workers: Int
    var lists: Int
    var setting: Worker.Setting
    /// What is pushed onto each list.
    var texts: [[String]]
    /// What was logged long ago, and which builds have it all: the others are behind.
    var history: [String]
    var current: Set<BuildID>
    var hazards: Set<Hazard>
    /// One call in so many fails; 0 for none.
    var failures: Int
    var lease: Duration
    /// Nobody is kept from work by another's lease.
    var isLeaseEverybodys: Bool
    /// The largest transaction that MongoDB takes, in elements.
    var mostElements: Int64

    /// A rebuild of the first model: readers are to go over to this build.
    var target: (build: BuildID, fold: EffectFold)?
    /// How many try to.
    var switchers = 0

    /// All builds there will be.
    var builds: [(build: BuildID, fold: EffectFold)] { setting.builds + (target.map { [$0] } ?? []) }

    /// Nothing comes back from Redis, and there is one list: so it is known what each offset must hold.
    var isEachElementLoggedOnce: Bool { lists == 1 && hazards.isDisjoint(with: [.rewind, .lostIdentity]) }

    init(_ random: inout Random) {
        workers = random.pick([1, 2, 2, 2, 3, 3, 4])
        lists = workers > 1 && random.once(in: 6) ? 2 : 1
        hazards = Set(Hazard.allCases.filter { _ in random.once(in: 3) })
        // An element that is logged twice is told by its id and the window; that of a list is not measured with another's.
        if lists > 1 { hazards.remove(.lostIdentity) }
        let isRead = hazards.contains(.rewind) || hazards.contains(.lostIdentity)
        failures = random.pick([0, 10, 20, 30, 60])
        lease = .milliseconds(random.pick([30, 100, 300, 3000]))
        isLeaseEverybodys = random.once(in: 2)
        mostElements = random.once(in: 6) ? Int64(2 + random.below(5)) : .max

        var stream = TestLog.settings
        stream.chunkEvents = 1 + random.below(8)
        stream.chunkBytes = ByteCount(random.pick([300, 1000, 1 << 20]))
        stream.maxEventBytes = .kibibytes(1)
        stream.dedupeWindow = .seconds(30 * 86400)
        stream.dedupeEvents = random.pick([1, 3, 1000])
        if hazards.contains(.rewind) || lists > 1 { stream.dedupeEvents = 1000 }
        // Only the mark tells what comes back in a segment without an identity.
        if stream.dedupeEvents < 1000, isRead { stream.dedupeWindow = .milliseconds(1) }
        setting = Worker.Setting(stream: stream, builds: random.once(in: 3) ? [Commerce.builds[random.below(2)]] : Commerce.builds)
        setting.limits.events = 1 + random.below(12)
        setting.limits.documents = 1 + random.below(6)
        setting.limits.loaded = ByteCount(random.pick([100, 1000, 1 << 20]))
        setting.limits.cache = ByteCount(random.pick([0, 1000, 1 << 20]))

        let isUnique = isRead || lists > 1
        texts = (0..<lists).map { list in
            let count = (5 + random.below(45)) / random.pick([1, 1, 3])
            if isUnique { return Self.unique(count, "\(list)", &random) }
            var texts = random.texts(count, types: Commerce.types)
            if random.once(in: 4) { texts.insert(Self.oversize, at: random.below(texts.count + 1)) }
            return texts
        }
        history = random.once(in: 3) ? (isUnique ? Self.unique(random.below(30), "old", &random) : random.texts(random.below(30), types: Commerce.types)) : []
        if random.once(in: 3) {
            // Documents expire in the middle of the run when the clock jumps, or as soon as it goes on.
            hazards.insert(.clockJump)
            for number in setting.builds.indices { setting.builds[number].fold.lifetime = .milliseconds(random.pick([1, 1000, 30_000, 500_000])) }
        }
        if random.once(in: 3) {
            target = (BuildID(model: setting.builds[0].build.model, number: setting.builds[0].build.number + 1), setting.builds[0].fold)
            switchers = random.pick([1, 1, 2])
        }
        current = history.isEmpty ? [] : Set(setting.builds.map(\.build).filter { _ in random.once(in: 2) })
    }

    private static let oversize = EventText("large", data: .string(String(repeating: "x", count: 2000))).json

    /// What has no id cannot be known again when Redis brings it twice.
    private static func unique(_ count: Int, _ name: String, _ random: inout Random) -> [String] {
        (0..<count).map { number in
            let data: Value = random.once(in: 5) ? .string(String(repeating: "x", count: 300)) : random.integer()
            return EventText("\(name)-\(number)", random.pick(Commerce.types), key: .string(random.pick(Random.keys)), data: data).json
        }
    }
}
