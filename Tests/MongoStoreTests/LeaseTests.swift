import Events
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    /// Each holder has a connection of its own, as each process has.
    @Suite struct LeaseTests {
        private static let partition = PartitionID(stream: "product", number: 0)

        private func holder(_ name: String) -> LeaseHolder { LeaseHolder(id: name, sessions: []) }

        private func leases(_ mongo: TestMongo) throws -> MongoLeases { MongoLeases(connection: try mongo.connection(), database: mongo.database) }

        private func acquire(_ leases: MongoLeases, _ name: String, for duration: Duration = .seconds(60)) async throws -> Lease? {
            switch try await leases.acquire(Self.partition, holder: holder(name), duration: duration) {
            case .acquired(let lease): lease
            case .held: nil
            }
        }

        @Test func `a lease is held by one, and given back at once`() async throws {
            try await TestMongo.run { mongo in
                let (a, b) = (try leases(mongo), try leases(mongo))
                let lease = try #require(try await acquire(a, "a"))
                #expect(lease == Lease(partition: Self.partition, holder: holder("a"), epoch: 1))
                #expect(try await b.acquire(Self.partition, holder: holder("b"), duration: .seconds(60)) == .held(by: "a"))
                #expect(try await b.acquire(PartitionID(stream: "product", number: 1), holder: holder("b"), duration: .seconds(60)) != .held(by: "a"))
                try await a.release(lease)
                #expect(try await acquire(b, "b")?.epoch == 2)
                #expect(try await acquire(a, "a") == nil)
            }
        }

        @Test func `of several that want it at once, one gets it`() async throws {
            try await TestMongo.run { mongo in
                let all = try (0..<5).map { _ in try leases(mongo) }
                let got = try await withThrowingTaskGroup(of: Lease?.self) { group in
                    for (number, leases) in all.enumerated() { group.addTask { try await acquire(leases, "holder-\(number)") } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(got.compactMap(\.self).map(\.epoch) == [1])
            }
        }

        @Test func `it keeps its holders' crash history, and whoever takes it over knows whether the one before died`() async throws {
            try await TestMongo.run { mongo in
                let (a, b) = (try leases(mongo), try leases(mongo))
                let build = CrashHistory.Stage.project(BuildID(model: "product", number: 2))
                var history = CrashHistory()
                history.standings = [.ingest: .init(offset: 7, deaths: 3), build: .init(offset: 1 << 40, deaths: 1)]
                history.attempt = .init(stage: .ingest, offsets: 7..<9)
                history.suspect = .init(attempt: .init(stage: build, offsets: 3..<4), deaths: 2)
                let first = try #require(try await acquire(a, "a", for: .milliseconds(50)))
                #expect(first.crashes == CrashHistory() && !first.isAfterDeath)
                #expect(try await a.store(history, in: first))
                let again = try #require(try await acquire(a, "a", for: .milliseconds(50)))
                #expect(again.crashes == history && !again.isAfterDeath)
                let second = try await eventually("it has run out") { try await acquire(b, "b") }
                #expect(second.crashes == history && second.isAfterDeath)
                #expect(try await !a.store(CrashHistory(), in: again))
                #expect(try await b.store(CrashHistory(), in: second))
                try await b.release(second)
                let third = try #require(try await acquire(a, "a"))
                #expect(third.crashes == CrashHistory() && !third.isAfterDeath)
            }
        }

        @Test func `its own holder gets it again at once, with a higher epoch`() async throws {
            try await TestMongo.run { mongo in
                let a = try leases(mongo)
                #expect(try await acquire(a, "a")?.epoch == 1)
                #expect(try await acquire(a, "a")?.epoch == 2)
            }
        }

        @Test func `it runs out by the server's clock`() async throws {
            try await TestMongo.run { mongo in
                let (a, b) = (try leases(mongo), try leases(mongo))
                func now() async throws -> Int64 { try #require(try await mongo.outsider.command("admin", ["hello": 1])["localTime"]?.asDate) }
                let before = try await now()
                _ = try await acquire(a, "a", for: .seconds(1))
                let after = try await now()
                let until = try #require(try await mongo.documents("millrace.leases").first?["until"]?.asDate)
                #expect((before + 1000)...(after + 1000) ~= until)
                let lease = try await eventually("the lease runs out") { try await acquire(b, "b") }
                #expect(try await now() > until)
                #expect(lease.epoch == 2)
                // Whatever was said before, what is stored decides.
                try await mongo.change("millrace.leases", [:], ["$set": ["until": .date(before)]])
                #expect(try await acquire(a, "a")?.epoch == 3)
            }
        }

        @Test(arguments: [true, false])
        func `what a dead holder had under way is ended, also where the first to try fails`(isRepair: Bool) async throws {
            try await FailingStore.run { failing in
                let mongo = failing.mongo
                let dead = try mongo.store()
                let checkpoint = try await dead.checkpoint()
                let name = isRepair ? Self.partition.repairs : Self.partition
                let late = LeaseHolder(id: "dead", sessions: [try await dead.sessionId()])
                _ = try await leases(mongo).acquire(name, holder: late, duration: .milliseconds(1))
                #expect(try await dead.begin([checkpoint]), "its transaction holds the checkpoint")

                let leases = try failing.leases()
                func takeOver(_ session: UInt8) async throws {
                    if isRepair { return try await leases.endDeadRepairs(of: Self.partition) }
                    let heir = LeaseHolder(id: "heir", sessions: [Array(repeating: session, count: 16)])
                    let reply = try await leases.acquire(name, holder: heir, duration: .seconds(60))
                    if case .held(let other) = reply { Issue.record("\(other) holds it") }
                }
                try await failing.fail("killSessions", .error(6), times: 1)
                await #expect(throws: MongoError.self) { try await takeOver(1) }
                // It begins again, in another session.
                try await takeOver(2)
                #expect(try await failing.store.commit(Commits.commit(checkpoint, [Commits.insert("a")])) == .committed)
                #expect(try await mongo.documents("millrace.leases").map { $0["before"] } == [.array([])])
            }
        }

        @Test func `renewing extends it, for whoever holds it and nobody else`() async throws {
            try await TestMongo.run { mongo in
                let (a, b) = (try leases(mongo), try leases(mongo))
                let lease = try #require(try await acquire(a, "a", for: .seconds(1)))
                #expect(try await a.renew(lease, duration: .seconds(60)))
                let renewed = try await mongo.documents("millrace.leases")

                var other = lease
                other.holder = holder("b")
                #expect(try await !b.renew(other, duration: .seconds(60)), "another process")
                other = lease
                other.epoch += 1
                #expect(try await !b.renew(other, duration: .seconds(60)), "another epoch")
                #expect(try await mongo.documents("millrace.leases") == renewed)
                #expect(try await acquire(b, "b") == nil)

                try await mongo.change("millrace.leases", [:], ["$set": ["until": .date(0)]])
                _ = try #require(try await acquire(b, "b"))
                let taken = try await mongo.documents("millrace.leases")
                #expect(try await !a.renew(lease, duration: .seconds(60)))
                try await a.release(lease)
                #expect(try await a.lift(lease, above: 9) == nil)
                #expect(try await mongo.documents("millrace.leases") == taken, "of somebody else")
            }
        }

        @Test func `lifting puts the epoch above the fence and above the last epoch`() async throws {
            try await TestMongo.run { mongo in
                let (a, b) = (try leases(mongo), try leases(mongo))
                let lease = try #require(try await acquire(a, "a"))
                let lifted = try #require(try await a.lift(lease, above: 41))
                #expect(lifted.epoch == 42)
                #expect(try await !a.renew(lease, duration: .seconds(60)), "the former epoch is nobody's")
                #expect(try await a.renew(lifted, duration: .seconds(60)))
                let again = try #require(try await a.lift(lifted, above: 3))
                #expect(again.epoch == 43)
                try await a.release(again)
                #expect(try await acquire(b, "b")?.epoch == 44)
            }
        }

        @Test func `holders are texts, whatever they look like, and a newer format is refused`() async throws {
            try await TestMongo.run { mongo in
                let (a, b) = (try leases(mongo), try leases(mongo))
                #expect(try await acquire(a, "$holder")?.holder.id == "$holder")
                #expect(try await acquire(b, "$until") == nil)
                #expect(try await mongo.documents("millrace.leases").first?["holder"] == "$holder")
                try await mongo.change("millrace.leases", [:], ["$set": ["format": 2]])
                let refusal = await #expect(throws: Refusal.self) { try await acquire(a, "$holder") }
                #expect(refusal?.problem == .newerFormat)
            }
        }
    }
}
