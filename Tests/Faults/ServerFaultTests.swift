import Fixtures
import Foundation
import Sandbox
import Testing
import Values

extension Faults {
    /// Servers die and change their roles while events flow.
    @Suite(.ownSandbox) struct ServerFaultTests {
        enum Fault: String, CaseIterable, Sendable {
            case primaryKilled = "primary killed"
            case primarySteppedDown = "primary stepped down"
            case redisKilled = "Redis killed"

            struct Blow {
                var strike: () async throws -> Void
                /// Makes it good again.
                var repair: () async throws -> Void
            }

            /// Finds out beforehand what takes time to find out.
            func prepare(_ sandbox: Sandbox) async throws -> Blow {
                if self == .redisKilled {
                    return Blow {
                        try await sandbox.kill(.redis)
                    } repair: {
                        try await sandbox.restart(.redis)
                    }
                }
                let primary = try await eventually("there is a primary") { try await sandbox.primary() }
                if self == .primaryKilled {
                    return Blow {
                        try await sandbox.kill(primary)
                    } repair: {
                        try await sandbox.restart(primary)
                    }
                }
                guard let port = try sandbox.port(of: primary) else { throw Failure("\(primary) is not running") }
                let probe = try MongoProbe(url: "mongodb://127.0.0.1:\(port)/?directConnection=true", database: "admin")
                try await probe.command(["ping": 1])
                return Blow {
                    try await probe.command(["replSetStepDown": 30, "secondaryCatchUpPeriodSecs": 5])
                } repair: {
                }
            }
        }

        @Test(arguments: Seed.ofThisRun)
        func `a service goes on after every fault of a server, and its receipts add up`(seed: Seed) async throws {
            let sandbox = try OwnSandbox.current
            var random = Random(seed)
            let faults = Root.isLong ? (0..<30).map { _ in random.pick(Fault.allCases) } : Fault.allCases
            try await Place.with([Place.Stream(settings: ["chunk: { events: 200 }"], models: ["trace", "trace-again"])], on: sandbox.servers()) { place in
                let journal = place.directory.appending(path: "producer.ndjson")
                let producer = try place.produce(rate: 1500, keys: 500, seed: seed.value, journal: journal)
                let workers = [try place.start(.release, ["run"]), try place.start(.release, ["run"])]
                try await until("a worker works") { try await place.mongo.tail("trace") > 1000 }
                for fault in faults {
                    try await Task.sleep(for: .milliseconds(random.below(1000)))
                    let blow = try await fault.prepare(sandbox)
                    let before = try await place.mongo.tail("trace")
                    let struck = ContinuousClock.now
                    try await blow.strike()
                    if fault == .redisKilled { try await blow.repair() }
                    try await until(within: .seconds(60), "\(fault.rawValue): events flow again") {
                        // The probe's own questions fail meanwhile as well.
                        (try? await place.checkpoints(reach: before + 1)) ?? false
                    }
                    tally("\(fault.rawValue): events flow again after \((ContinuousClock.now - struck).rounded)")
                    if fault != .redisKilled { try await blow.repair() }
                    try await sandbox.waitUntilComplete()
                }
                let pushed = try await place.finish(producer)
                for worker in workers { try await worker.expectStop() }
                try await place.drain().expectSums()
                let verdict = try await place.expectAllWell("trace", journal)
                // Every receipt begins where the one before ended, so that together they count everything once.
                let receipts = try await place.mongo.find("millrace.runs", limit: 1000).compactMap { $0["receipt"]?.asDocument }
                let received = receipts.reduce(0) { $0 + ($1["received"]?.asInteger ?? 0) }
                #expect(received == verdict.log.values.reduce(0, +))
                for model in ["trace", "trace-again"] {
                    let applied = receipts.reduce(0) { $0 + ($1["models"]?.asDocument?[model]?.asDocument?["applied"]?.asInteger ?? 0) }
                    #expect(applied == verdict.events, "\(model)")
                }
                tally(
                    "\(faults.count) faults of servers: \(verdict.events) of \(pushed.events) events, \(verdict.duplicates) duplicates, "
                        + "\(receipts.count) receipts (\(seed))"
                )
            }
        }

        private static let backlog = 30_000

        @Test(arguments: Fault.allCases)
        func `drain --once outlives a fault of a server, and its sums agree`(fault: Fault) async throws {
            let sandbox = try OwnSandbox.current
            try await Place.with([Place.Stream(settings: ["chunk: { events: 500 }"])], on: sandbox.servers(), lease: "5s") { place in
                var events = try TraceEvents(keys: 30_000)
                let journal = try place.journal()
                try await place.push(events.next(Self.backlog), journal)
                let blow = try await fault.prepare(sandbox)
                let drain = try place.start(.release, ["drain", "--once", "--json"])
                try await until(every: .milliseconds(1), "it is in the middle") { try await place.mongo.tail("trace") > 0 }
                try await blow.strike()
                #expect(drain.isRunning, "the fault came too late")
                if fault == .redisKilled { try await blow.repair() }
                let ended = try await drain.ended()
                if fault != .redisKilled { try await blow.repair() }
                try await sandbox.waitUntilComplete()
                #expect(ended.cause == .exit(0), "\(fault.rawValue): \(ended.errors)")
                if ended.cause == .exit(0) {
                    let receipt = try DrainReceipt(of: ended)
                    receipt.expectSums()
                    #expect(receipt.received == Self.backlog)
                    #expect(receipt.models["trace"]?.applied == Self.backlog)
                }
                try await place.drain().expectSums()
                try await place.expectAllWell("trace", journal.file)
            }
        }
    }
}
