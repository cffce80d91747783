import EventFixtures
import Events
import Fixtures
import Models
import Projector
import Values

/// The producer, and all that goes wrong beside the workers' calls.
struct Weather {
    private let simulation: Simulation
    private var random: Random
    /// How many elements of each list are pushed.
    private var pushed: [Int]
    /// Older states of each list's Redis, and what was pushed then.
    private var older: [[(redis: FakeRedis, pushed: Int)]]
    private var rewinds = 0
    private var repairs: [Expected.Repair] = []
    private let hazards: [Conditions.Hazard]

    private static let mostRewinds = 6

    private var world: World { simulation.world }
    private var schedule: Schedule { simulation.schedule }
    private var conditions: Conditions { simulation.conditions }

    init(_ simulation: Simulation, _ random: Random) {
        self.simulation = simulation
        self.random = random
        pushed = Array(repeating: 0, count: simulation.conditions.lists)
        older = Array(repeating: [], count: simulation.conditions.lists)
        hazards = Conditions.Hazard.allCases.filter(simulation.conditions.hazards.contains)
    }

    /// From the first push until nothing goes wrong any more. Returns the documents that were repaired.
    consuming func happen() async -> [Expected.Repair] {
        var rest = 0
        while rest < 6 {
            _ = await schedule.turn(of: Schedule.weather, "weather")
            let list = random.below(conditions.lists)
            if pushed[list] < conditions.texts[list].count { await push(list) }
            while !hazards.isEmpty, random.once(in: 2) { await happen(random.pick(hazards), list) }
            if zip(pushed, conditions.texts).allSatisfy({ $0 == $1.count }) { rest += 1 }
        }
        await world.change { _, mongo in
            mongo.leases.isEverybodys = false
            mongo.leases.lease = nil
        }
        schedule.calm()
        await world.close()
        return repairs
    }

    private mutating func push(_ list: Int) async {
        let texts = conditions.texts[list]
        let lot = Array(texts[pushed[list]..<min(texts.count, pushed[list] + random.below(9))])
        pushed[list] += lot.count
        await world.change(list: list) { redis, _ in redis.list += lot }
        if conditions.hazards.contains(.rewind) { older[list].append((await world.lists[list], pushed[list])) }
    }

    private mutating func happen(_ hazard: Conditions.Hazard, _ list: Int) async {
        schedule.trace("  \(hazard)")
        let slot = random.below(conditions.workers + conditions.switchers)
        switch hazard {
        case .crash: crash(slot)
        case .stop: simulation.crew.member(slot)?.stop.request()
        case .freeze:
            if let member = simulation.crew.member(slot) { schedule.freeze(member.number, turns: random.pick([10, 50, 300, 2000])) }
        case .lostFence: await world.change(list: list) { redis, _ in redis.fence = 0 }
        case .raisedFence: await world.change(list: list) { redis, _ in redis.fence += 10 }
        case .lostIdentity: await world.change(list: list) { redis, _ in redis.identity = nil }
        case .rewind: await rewind(list)
        case .lostLease: await world.change { _, mongo in mongo.leases.lease = nil }
        case .repair: await repair()
        case .foreignDocument: await interfere()
        case .clockJump:
            let jump = Int64(random.pick([-5000, 1, 1000, 59_999, 1_000_000]))
            await world.change { _, mongo in mongo.clock += jump }
        case .lateCall:
            let late = await world.late
            guard late > 0 else { return }
            let number = random.below(late)
            if random.once(in: 4) { await world.drop(number) } else { await world.arrive(number) }
        }
    }

    private func crash(_ slot: Int) {
        guard let member = simulation.crew.member(slot) else { return }
        member.stop.request()
        schedule.kill(member.number)
    }

    /// Redis starts again from an older file, and the producer pushes again what that has not.
    private mutating func rewind(_ list: Int) async {
        guard !older[list].isEmpty, rewinds < Self.mostRewinds else { return }
        let (state, place) = random.pick(older[list])
        rewinds += 1
        let run = "run-\(rewinds + 1)"
        // The file ends between the renaming and the setting of the identity.
        let losesIdentity = random.once(in: 2) && conditions.lists == 1
        let name = FakeBuffer.list(list)
        await world.change(list: list) { redis, mongo in
            redis = state
            redis.run = run
            if losesIdentity { redis.identity = nil }
            mongo.witness.cut(redis.segment ?? [], of: name, as: BufferToken(run: run, cuts: redis.cuts))
        }
        pushed[list] = place
    }

    /// A repair as rule 17 has it: the generation first, then the document, in one transaction.
    private mutating func repair() async {
        let build = random.pick(conditions.setting.builds).build
        let stored = await world.mongo.documents[build]?.keys.sorted().map(\.text) ?? []
        guard !stored.isEmpty else { return }
        let key = random.pick(stored)
        let number = Int32(repairs.count)
        let keepsGeneration = simulation.mistake == .repairWithoutGeneration
        let repair: Expected.Repair? = await world.change { _, mongo in
            guard let checkpoint = mongo.checkpoints[build], let bson = mongo.documents[build]?[ExactString(key)],
                var document = (try? Document(bson: bson)).flatMap(StoredDocument.init)
            else { return nil }
            let repair = Expected.Repair(build: build, offset: checkpoint.offset, key: key, number: number)
            repair.apply(to: &document)
            mongo.documents[build]?[ExactString(key)] = document.bson
            if !keepsGeneration { mongo.checkpoints[build]?.generation += 1 }
            return repair
        }
        if let repair { repairs.append(repair) }
    }

    /// Somebody else writes a document where there is none.
    private mutating func interfere() async {
        let build = random.pick(conditions.setting.builds).build
        let key = ExactString(random.pick(Random.keys))
        let document: Document = ["_id": .string(key.text), "foreign": .int32(Int32(random.below(100)))]
        await world.change { _, mongo in
            if mongo.documents[build]?[key] == nil { mongo.documents[build, default: [:]][key] = BSON.encode(document) }
        }
    }
}
