import Logging
import Models
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    /// What a reconcile compares with, and its ways of going through documents, which find the same.
    @Suite struct ComparisonTests {
        private static let keys = 500

        private static func reconcile(_ mongo: TestMongo, _ change: (inout Reconcile.Plan, inout Reconcile.Limits) -> Void) async throws -> (
            drift: [String], counts: DriftCounts
        ) {
            let (documents, database) = (try mongo.store(), mongo.database)
            let own = try mongo.connection()
            let reports = MongoDrift(connection: own, database: database)
            let stores = Reconcile.Stores(
                documents: documents, snapshots: MongoSnapshots(connection: own, database: database), log: MongoLog(connection: own, database: database),
                scan: MongoScan(connection: try mongo.connection(), database: database), leases: MongoLeases(connection: own, database: database),
                reports: reports, holder: "test")
            let definition = FoldDefinition(build: Commits.build, foldHash: "stock", foldVersion: 1, fold: StockKeeper.fold)
            var (plan, limits) = (Reconcile.Plan(), Reconcile.Limits())
            change(&plan, &limits)
            let report = try await reports.begin(Commits.build.model)
            let outcome = try await Reconcile(
                definition, [Commits.partition], stores, plan, report: report, limits: limits, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ).run()
            let drift = try await reports.drift(of: report, from: 0, most: 10_000)
            return (drift.map { "\($0.id.asString ?? "") \($0.kind)" }.sorted(), outcome.counts)
        }

        /// By sums, and along the keys: because somebody asked for so many a second at most, or since more differs than is
        /// held in memory, be it by the sums or when it is read.
        private static let ways: [(name: String, change: @Sendable (inout Reconcile.Plan, inout Reconcile.Limits) -> Void)] = [
            ("by sums", { _, _ in }), ("throttled", { plan, _ in plan.throttle = 1_000_000 }), ("much differs", { _, limits in limits.held = 0 }),
            ("more differs than the sums say", { _, limits in limits.held = 2 }),
        ]

        @Test func `the same is found by sums and along the keys`() async throws {
            try await TestMongo.run { mongo in
                var keeper = try await StockKeeper(mongo)
                try await keeper.log((0..<Self.keys).map { .stock("key \($0)", 1) })
                try await keeper.projection().drain()
                let build = Commits.build.description
                try await mongo.remove(build, ["_id": "key 7"])
                try await mongo.remove(build, ["_id": "key 499"])
                try await mongo.change(build, ["_id": "invented"], ["$set": ["stock": 1]], upsert: true)
                try await mongo.change(build, ["_id": "key 13"], ["$set": ["stock": 2]])
                // As if the contents of two had been exchanged.
                let contents = try await mongo.documents(build, ["_id": ["$in": ["key 20", "key 21"]]]).map { document in
                    Document(document.fields.filter { $0.name != "_id" })
                }
                try await mongo.change(build, ["_id": "key 20"], .document(contents[1]))
                try await mongo.change(build, ["_id": "key 21"], .document(contents[0]))
                let expected = ["invented extra", "key 13 different", "key 20 different", "key 21 different", "key 499 missing", "key 7 missing"]
                for (name, change) in Self.ways {
                    let (drift, counts) = try await Self.reconcile(mongo, change)
                    #expect(drift == expected, "\(name)")
                    #expect(counts.documents == Int64(Self.keys) + 1, "\(name)")
                }
            }
        }

        @Test func `a snapshot that many events have followed is made anew`() async throws {
            try await TestMongo.run { mongo in
                var keeper = try await StockKeeper(mongo)
                let projection = try keeper.projection()
                var offsets: [[Int64]] = []
                for events in [20, 9, 2, 1] {
                    try await keeper.log((0..<events).map { .stock("key \($0 % 5)", 1) })
                    try await projection.drain()
                    #expect(try await Self.reconcile(mongo) { _, limits in limits.events = 10 }.drift == [])
                    let snapshots = MongoSnapshots(connection: try mongo.connection(), database: mongo.database)
                    offsets.append(try await snapshots.snapshots(of: Commits.partition).map(\.id.offset).sorted())
                }
                // 9 events more are few, 11 are not, and the next begin with that.
                #expect(offsets == [[20], [20], [20, 31], [20, 31]])
            }
        }
    }
}
