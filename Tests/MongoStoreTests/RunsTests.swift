import Events
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    @Suite struct RunsTests {
        private func runs(_ mongo: TestMongo) throws -> MongoRuns { MongoRuns(connection: try mongo.connection(), database: mongo.database) }

        private static func drain(_ id: String, _ readings: [PartitionID: PartitionReading]) -> RunRecord {
            let receipt = Receipt(readings.values.map { (PartitionReading(), $0) }, seconds: 1)
            var run = RunRecord(id: id, job: "drain", kind: .drain, owner: "me", lasted: .seconds(1), outcome: RunOutcome(receipt))
            run.readings = readings
            return run
        }

        private static func run(_ id: String, _ job: String = "nightly", _ kind: RunKind = .command, _ outcome: RunOutcome = RunOutcome()) -> RunRecord {
            RunRecord(id: id, job: job, kind: kind, owner: "me", lasted: .milliseconds(1500), outcome: outcome)
        }

        /// As if a run had ended at another time.
        private static func move(_ mongo: TestMongo, _ id: String, to ended: Int64) async throws {
            try await mongo.change("millrace.runs", ["_id": .string(id)], ["$set": ["ended": .date(ended)]])
        }

        @Test func `a partition's last receipt is where the next one begins`() async throws {
            try await TestMongo.run { mongo in
                let runs = try runs(mongo)
                #expect(try await runs.lastReceipt(of: Commits.partition) == LastReceipt())
                var totals = ProjectionTotals()
                for (number, count) in ProjectionTotals.counts.enumerated() { totals[keyPath: count.path] = Int64(number) + 1 }
                let other = PartitionID(stream: "product", number: 1)
                let early = PartitionReading(log: LogTotals(received: 1, duplicates: 0, undecodable: 0), builds: [Commits.build: ProjectionTotals()])
                let late = PartitionReading(log: LogTotals(received: 9, duplicates: 2, undecodable: 1), builds: [Commits.build: totals])
                func record(_ id: String, _ all: [PartitionID: PartitionReading]) async throws {
                    try await runs.record(Self.drain(id, all))
                }
                // Not in the order in which they ended.
                try await record("a", [Commits.partition: early])
                // Of a primary whose clock was ahead of this one's.
                try await mongo.change("millrace.runs", ["_id": "a"], ["$set": ["ended": .date(4_000_000_000_000)]])
                try await record("b", [Commits.partition: late, other: late])
                try await record("c", [other: early])
                #expect(try await runs.lastReceipt(of: Commits.partition) == LastReceipt(reading: late, number: 2))
                #expect(try await runs.lastReceipt(of: other) == LastReceipt(reading: early, number: 2))
                #expect(try await mongo.documents("millrace.runs").map { $0["job"] } == ["drain", "drain", "drain"])
                await #expect(throws: MongoError.self) { try await record("a", [:]) }
            }
        }

        /// A worker that was frozen between reading the last receipt and writing the next counted again what its successor had.
        @Test func `two receipts never continue the same one`() async throws {
            try await TestMongo.run { mongo in
                let (runs, partition) = (try runs(mongo), Commits.partition)
                _ = try await MongoCatalog(connection: mongo.connection(), database: mongo.database).open()
                func record(_ received: Int64, after last: LastReceipt?) async throws {
                    let reading = PartitionReading(log: LogTotals(received: received, duplicates: 0, undecodable: 0))
                    var run = Self.drain("\(received)", [partition: reading])
                    run.last = last.map { [partition: $0] }
                    try await runs.record(run)
                }
                let first = try await runs.lastReceipt(of: partition)
                try await record(10, after: first)
                await #expect(throws: MongoError.self) { try await record(11, after: first) }
                // One that stands by itself is written all the same.
                try await record(20, after: nil)
                let last = try await runs.lastReceipt(of: partition)
                #expect(last.reading.log.received == 20 && last.number == 2)
                try await record(30, after: last)
                #expect(try await runs.lastReceipt(of: partition).number == 3)
            }
        }

        @Test func `a run is read as it was written`() async throws {
            try await TestMongo.run { mongo in
                let runs = try runs(mongo)
                let outcome = RunOutcome(
                    .notGood, stages: [.init("read", seconds: 0.25, sums: ["documents": 5]), .init("compare", seconds: 1)],
                    sums: ["documents": 5, "models": ["product": ["drift": 1]]], problems: [Refusal(.badInput, "one"), Refusal(.noProgress, "two")])
                try await runs.record(Self.run("a", "nightly", .reconcile, outcome))
                let run = try #require(try await runs.run("a"))
                #expect(run == PastRun(id: "a", job: "nightly", kind: .reconcile, owner: "me", started: run.ended - 1500, ended: run.ended, outcome: outcome))
                #expect(try await runs.page(RunFilter(), limit: 10) == [run])
                #expect(try await runs.run("b") == nil)
                // Where two write under one id, the second one is told.
                await #expect(throws: MongoError.self) { try await runs.record(Self.run("a")) }
                try await mongo.change("millrace.runs", ["_id": "a"], ["$set": ["format": 2]])
                await #expect(throws: Refusal.self) { try await runs.run("a") }
            }
        }

        @Test func `a receipt from before there were other runs is a drain's`() async throws {
            try await TestMongo.run { mongo in
                try await mongo.change(
                    "millrace.runs", ["_id": "old"],
                    ["$set": ["format": 1, "job": "drain", "owner": "me", "started": .date(1), "ended": .date(2), "receipt": ["received": 3]]], upsert: true)
                var filter = RunFilter()
                (filter.kind, filter.verdict) = (.drain, .good)
                let runs = try await runs(mongo).page(filter, limit: 10)
                #expect(runs == [PastRun(id: "old", job: "drain", kind: .drain, owner: "me", started: 1, ended: 2, outcome: RunOutcome(sums: ["received": 3]))])
            }
        }

        @Test func `runs come newest first, page by page, as filters say`() async throws {
            try await TestMongo.run { mongo in
                let runs = try runs(mongo)
                let all: [(id: String, job: String, kind: RunKind, verdict: RunOutcome.Verdict, ended: Int64)] = [
                    ("a", "nightly", .command, .good, 50), ("b", "nightly", .command, .failed, 10), ("c", "check", .command, .good, 30),
                    ("d", "hourly", .reconcile, .notGood, 30), ("e", "hourly", .reconcile, .interrupted, 20),
                ]
                for run in all {
                    try await runs.record(Self.run(run.id, run.job, run.kind, RunOutcome(run.verdict)))
                    try await Self.move(mongo, run.id, to: run.ended)
                }
                func found(_ set: (inout RunFilter) -> Void) async throws -> [String] {
                    var filter = RunFilter()
                    set(&filter)
                    // One at a time: two ended at the same time.
                    var (found, last): ([String], PastRun?) = ([], nil)
                    while let run = try await runs.page(filter, after: last, limit: 1).first {
                        found.append(run.id)
                        last = run
                    }
                    return found
                }
                #expect(try await found { _ in } == ["a", "d", "c", "e", "b"])
                #expect(try await found { $0.job = "nightly" } == ["a", "b"])
                #expect(try await found { $0.kind = .reconcile } == ["d", "e"])
                #expect(try await found { $0.verdict = .good } == ["a", "c"])
                #expect(try await found { $0.since = 30 } == ["a", "d", "c"])
                #expect(try await found { ($0.job, $0.since) = ("hourly", 25) } == ["d"])
            }
        }

        /// The first receipt after the last one was removed would count everything again.
        @Test func `old runs are removed, but for the last receipt of a partition`() async throws {
            try await TestMongo.run { mongo in
                let (runs, other) = (try runs(mongo), PartitionID(stream: "product", number: 1))
                try await mongo.change("millrace.meta", ["_id": "stream:product"], ["$set": ["format": 1, "partitions": 2]], upsert: true)
                let reading = PartitionReading(log: LogTotals(received: 9, duplicates: 0, undecodable: 0))
                for (id, partition) in [("a", Commits.partition), ("b", Commits.partition), ("c", other)] {
                    try await runs.record(Self.drain(id, [partition: reading]))
                }
                for id in ["d", "e"] { try await runs.record(Self.run(id)) }
                let now = try #require(try await runs.run("e")).ended
                for (id, age) in [("a", 400_000), ("b", 300_000), ("d", 200_000), ("e", 50_000)] as [(String, Int64)] {
                    try await Self.move(mongo, id, to: now - age)
                }
                #expect(try await runs.prune(keeping: .seconds(100)) == 2)
                #expect(try await mongo.documents("millrace.runs").map { $0["_id"] } == ["b", "c", "e"])
                #expect(try await runs.lastReceipt(of: Commits.partition) == LastReceipt(reading: reading, number: 2))
                #expect(try await runs.prune(keeping: .seconds(100)) == 0)
            }
        }
    }
}
