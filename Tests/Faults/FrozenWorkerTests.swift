import Fixtures
import Foundation
import Projector
import Testing

extension Faults {
    /// A worker that stands still for three leases while another takes over, and then goes on as if nothing had been,
    /// changes nothing.
    @Suite struct FrozenWorkerTests {
        private static let lease = Duration.seconds(1)
        private static let frozen = lease * 3

        /// Every point that a running worker reaches while there is work.
        static let points = CrashPoint.ofDrain.filter { $0 != .leaseReleased && $0 != .receiptWritten }

        @Test func `a worker frozen at any point and thawed after three leases changes nothing`() async throws {
            let started = ContinuousClock.now
            // All it does is wait.
            await forEach(Self.points, atOnce: 7) { try await freeze(at: $0) }
            tally("\(Self.points.count) freezes at named points in \((ContinuousClock.now - started).rounded)")
        }

        private func freeze(at point: CrashPoint) async throws {
            try await Place.with([Place.Stream(settings: ["chunk: { events: 100 }"], models: ["trace", "trace-again"])], lease: "1s") { place in
                var events = try TraceEvents()
                let journal = try place.journal()
                try await place.push(events.next(400) + [Array("no event".utf8)], journal)
                let first = try place.start(.debug, ["run"], environment: ["MILLRACE_FREEZE_AT": "\(point.rawValue):1"])
                try await until("\(point): the first worker is frozen") { first.isFrozen }
                let thaw = ContinuousClock.now + Self.frozen
                try await place.push(events.next(200), journal)

                let second = try place.start(.release, ["run"])
                try await until("\(point): the second worker takes over and catches up") {
                    guard try await place.mongo.holder("trace") == second.pid else { return false }
                    return try await place.checkpoints(reach: 601)
                }
                #expect(first.isFrozen, "\(point)")
                try await Task.sleep(until: thaw, clock: .continuous)
                try await place.push(events.next(200), journal)
                first.send(SIGCONT)
                try await place.push(events.next(200), journal)
                try await until("\(point): everything is applied") { try await place.checkpoints(reach: 1001) }

                // A last word of the first worker, which has had time to say it.
                for worker in [first, second] { try await worker.expectStop("\(point)") }
                let receipt = try await place.drain()
                #expect(receipt.received == 0, "\(point)")
                try await place.expectAllWell("trace", journal.file, comment: "\(point)")
                #expect(try await place.mongo.count("millrace.dead_letters") == 1, "\(point)")
            }
        }

        @Test func `a worker that wakes up with a chunk that another cut differently drops it`() async throws {
            try await Place.with([Place.Stream(settings: ["chunk: { events: 100 }"])], lease: "1s") { place in
                var events = try TraceEvents()
                let journal = try place.journal()
                try await place.push(events.next(300), journal)
                let sleeper = try place.start(.debug, ["run"], environment: ["MILLRACE_FREEZE_AT": "chunk-decided:2"])
                try await until("it is frozen with a chunk of 100 elements") { sleeper.isFrozen }
                #expect(try await place.mongo.tail("trace") == 64)
                // A worker that has just begun reads 64 elements, logs them, and dies.
                let second = try place.start(.debug, ["run"], environment: ["MILLRACE_CRASH_AT": "chunk-appended:1"])
                #expect(try await second.ended().cause == .signal(SIGKILL))
                #expect(try await place.mongo.tail("trace") == 128)

                // Neither may 36 elements be taken for logged, nor for duplicates of themselves.
                sleeper.send(SIGCONT)
                try await until("everything is applied") { try await place.checkpoints(reach: 300) }
                try await sleeper.expectStop()
                let receipt = try await place.drain()
                #expect(receipt.received == 0)
                let verdict = try await place.expectAllWell("trace", journal.file)
                #expect(verdict.log["duplicate"] == nil)
            }
        }

        @Test func `a worker that wakes up to another segment takes none of it for its own`() async throws {
            try await Place.with([Place.Stream(settings: ["chunk: { events: 100 }"])], lease: "1s") { place in
                var events = try TraceEvents()
                let journal = try place.journal()
                let gone = events.next(300)
                try await place.push(gone, onto: place.list())
                let crash = ["MILLRACE_CRASH_AT": "chunk-appended:2"]
                #expect(try await place.run(.debug, ["drain", "--once"], environment: crash).cause == .signal(SIGKILL))
                let logged = try await place.mongo.tail("trace")
                try await journal.append(Array(gone.prefix(logged)))

                let sleeper = try place.start(.debug, ["run"], environment: ["MILLRACE_FREEZE_AT": "progress-read:1"])
                try await until("it is frozen in the middle of the segment") { sleeper.isFrozen }
                // What remains of a Redis that went back to before the events were pushed, and was pushed to again.
                try await place.redis.call("DEL", place.list() + ":segment", place.list() + ":segment:id")
                try await place.push(events.next(300), journal)
                // Another worker makes a segment of that, and dies before it logs any.
                let second = try place.start(.debug, ["run"], environment: ["MILLRACE_CRASH_AT": "segment-read:1"])
                #expect(try await second.ended().cause == .signal(SIGKILL))
                #expect(try await place.mongo.tail("trace") == logged)
                #expect(try await place.redis.length(of: place.list() + ":segment") == 300)

                // With the first segment's place in its mind and the log's end unchanged, nothing else would stop it from
                // logging the second one's later elements first.
                sleeper.send(SIGCONT)
                try await until("everything is applied") { try await place.checkpoints(reach: logged + 300) }
                try await sleeper.expectStop()
                try await place.drain().expectSums()
                let verdict = try await place.expectAllWell("trace", journal.file)
                #expect(verdict.log["duplicate"] == nil)
            }
        }

        @Test(arguments: Seed.ofThisRun)
        func `a worker frozen at any moment and thawed after three leases changes nothing`(seed: Seed) async throws {
            var random = Random(seed)
            let rounds = Root.isLong ? 50 : 5
            var mid = 0
            try await Place.with([Place.Stream(settings: ["chunk: { events: 200 }"])], lease: "1s") { place in
                let journal = place.directory.appending(path: "producer.ndjson")
                let producer = try place.produce(rate: 2000, seed: seed.value, journal: journal)
                let workers = [try place.start(.release, ["run"]), try place.start(.release, ["run"])]
                for round in 1...rounds {
                    let holder = try await eventually("a worker holds the lease") {
                        let pid = try await place.mongo.holder("trace")
                        return workers.first { $0.pid == pid }
                    }
                    try await Task.sleep(for: .milliseconds(random.below(300)))
                    holder.send(SIGSTOP)
                    let thaw = ContinuousClock.now + Self.frozen
                    try await until("the holder is frozen") { holder.isFrozen }
                    if try await !place.unfinished().isEmpty { mid += 1 }
                    try await until(within: .seconds(10), "round \(round): the other worker takes over") {
                        try await place.mongo.holder("trace") != holder.pid
                    }
                    try await Task.sleep(until: thaw, clock: .continuous)
                    holder.send(SIGCONT)
                }
                let pushed = try await place.finish(producer)
                for worker in workers { try await worker.expectStop() }
                try await place.drain().expectSums()
                let verdict = try await place.expectAllWell("trace", journal)
                #expect(mid > 0, "no freeze fell into the middle of anything")
                tally("\(rounds) freezes at random moments, \(mid) in the middle of a segment or before a commit; \(verdict.events) of \(pushed.events) events")
            }
        }
    }
}
