import Events
import MongoStore
import Projector
import Schedules
import Testing
import Values

extension MongoSuite {
    @Suite struct JobStoreTests {
        private static func running(_ run: String, attempt: Int = 1, at started: Int64) -> JobState.Running {
            .init(run: run, owner: "me", started: started, attempt: attempt)
        }

        private func with(_ body: (MongoJobs, TestMongo) async throws -> Void) async throws {
            try await TestMongo.run { mongo in try await body(MongoJobs(connection: mongo.connection(), database: mongo.database), mongo) }
        }

        @Test func `a job that is not known yet begins now, and stays as it is then`() async throws {
            try await with { jobs, _ in
                let (states, now) = try await jobs.states(of: ["a"])
                #expect(states == ["a": JobState(handled: now)])
                let later = try await jobs.states(of: ["a", "b"])
                #expect(later.states["a"] == states["a"] && later.states.count == 2)
                #expect(try await jobs.known() == later.states)
            }
        }

        @Test func `of two that begin the same run one does, and also not after it has ended`() async throws {
            try await with { jobs, _ in
                let (states, now) = try await jobs.states(of: ["a"])
                let state = try #require(states["a"])
                let first = Self.running("1", at: now + 5)
                #expect(try await jobs.begin(first, of: "a", from: state))
                #expect(try await jobs.begin(Self.running("2", at: now + 6), of: "a", from: state) == false)
                var next = state
                (next.handled, next.running) = (now + 5, first)
                #expect(try await jobs.known()["a"] == next)
                (next.running, next.last) = (nil, .init(run: "1", ended: now + 9, verdict: "failed", isGood: false))
                (next.retry, next.skipped) = (.init(at: now + 10, attempt: 2), .init(overlap: 1, missed: 2))
                #expect(try await jobs.end(first, of: "a", as: next))
                #expect(try await jobs.known()["a"] == next)
                #expect(try await jobs.end(first, of: "a", as: state) == false)
                // A retry deals with nothing on the schedule, so that only the run before tells them apart.
                let retry = Self.running("3", attempt: 2, at: now + 11)
                #expect(try await jobs.begin(retry, of: "a", from: next))
                var done = next
                (done.last, done.retry) = (.init(run: "3", ended: now + 12, verdict: "good", isGood: true), nil)
                #expect(try await jobs.end(retry, of: "a", as: done))
                #expect(try await jobs.begin(Self.running("4", attempt: 2, at: now + 13), of: "a", from: next) == false)
            }
        }

        @Test func `a paused job begins by hand alone, and what was due meanwhile is dealt with`() async throws {
            try await with { jobs, mongo in
                var state = try #require(try await jobs.states(of: ["a"]).states["a"])
                try await mongo.change("millrace.jobs", ["_id": "a"], ["$set": ["handled": .date(5)]])
                state.handled = 5
                try await jobs.pause("a", true)
                state = try #require(try await jobs.known()["a"])
                #expect(state.isPaused)
                #expect(try await jobs.begin(Self.running("1", at: 6), of: "a", from: state) == false)
                #expect(try await jobs.begin(Self.running("2", attempt: 0, at: 6), of: "a", from: state))
                #expect(try await jobs.known()["a"]?.handled == state.handled)
                try await mongo.change("millrace.jobs", ["_id": "a"], ["$set": ["handled": .date(7)]])
                // Again changes nothing.
                try await jobs.pause("a", true)
                #expect(try await jobs.known()["a"]?.handled == 7)
                try await jobs.pause("a", false)
                let resumed = try #require(try await jobs.known()["a"])
                #expect(resumed.handled > 1_000_000_000_000 && !resumed.isPaused)
                // Also one that no runner has seen yet.
                try await jobs.pause("b", true)
                #expect(try await jobs.known()["b"]?.isPaused == true)
            }
        }

        @Test func `what was missed is counted once`() async throws {
            try await with { jobs, _ in
                let (states, now) = try await jobs.states(of: ["a"])
                let state = try #require(states["a"])
                #expect(try await jobs.skip("a", from: state, now: now + 5))
                #expect(try await jobs.skip("a", from: state, now: now + 6) == false)
                let next = try #require(try await jobs.known()["a"])
                #expect(next.handled == now + 5 && next.skipped.missed == 1)
            }
        }

        @Test func `runners see each other and what the others hold, in the order in which they came`() async throws {
            try await TestMongo.run { mongo in
                let runners = MongoRunners(connection: try mongo.connection(), database: mongo.database)
                let leases = MongoLeases(connection: try mongo.connection(), database: mongo.database)
                let partitions = (0..<3).map { PartitionID(stream: "product", number: $0) }
                func join(_ runner: String, _ job: String = "drain", for duration: Duration = .seconds(60)) async throws -> Attendance {
                    try await runners.join(job, runner: runner, for: duration, among: partitions)
                }
                _ = try await join("z")
                _ = try await leases.acquire(partitions[1], holder: LeaseHolder(id: "z", sessions: []), duration: .seconds(60))
                _ = try await leases.acquire(partitions[2], holder: LeaseHolder(id: "a", sessions: []), duration: .seconds(60))
                #expect(try await join("a") == Attendance(runners: ["z", "a"], taken: [partitions[1]]))
                #expect(try await join("z") == Attendance(runners: ["z", "a"], taken: [partitions[2]]))
                #expect(try await join("a", "drain2").runners == ["a"])
                // Whoever says nothing more is gone, and so is his lease.
                _ = try await join("a", for: .zero)
                _ = try await leases.acquire(partitions[2], holder: LeaseHolder(id: "a", sessions: []), duration: .zero)
                _ = try await eventually("it is gone") { try await join("z") == Attendance(runners: ["z"], taken: []) ? true : nil }
                _ = try await join("a")
                try await runners.leave("drain", runner: "z")
                #expect(try await join("a").runners == ["a"])
            }
        }
    }
}
