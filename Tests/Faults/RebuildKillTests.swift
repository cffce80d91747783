import Fixtures
import Foundation
import Projector
import Testing
import Values

extension Faults {
    /// A debug build is killed after each step of a rebuild, its switch and the removal of a build, and whoever comes next must
    /// make it good, while readers see one build or the other.
    @Suite struct RebuildKillTests {
        struct Crash: Sendable, CustomStringConvertible {
            var point: CrashPoint
            var count: Int
            /// How long the build that is left is kept.
            var keep = "1h"

            var description: String { "\(point.rawValue):\(count)" }
        }

        static let crashes: [Crash] =
            CrashPoint.ofRebuild.map { point in
                let removes: [CrashPoint] = [.buildDropping, .checkpointsRemoved, .collectionDropped, .buildRemoved]
                return Crash(point: point, count: 1, keep: removes.contains(point) ? "0s" : "1h")
            } + [
                // One checkpoint of two.
                Crash(point: .thawed, count: 2),
                // In the middle of the folding: after a partition, and in a transaction.
                Crash(point: .checkpointRead, count: 2), Crash(point: .documentsWritten, count: 1), Crash(point: .documentsWritten, count: 2),
                Crash(point: .committed, count: 1), Crash(point: .committed, count: 2),
            ]

        @Test func `after a kill at any step of a rebuild readers see one build, and the next run makes it good`() async throws {
            let started = ContinuousClock.now
            await forEach(Self.crashes, atOnce: 3) { try await survive($0) }
            tally("\(Self.crashes.count) kills of a rebuild in \((ContinuousClock.now - started).rounded)")
        }

        private func survive(_ crash: Crash) async throws {
            try await Place.with([Place.Stream(partitions: 2, settings: ["chunk: { events: 100 }"])], lease: "1s") { place in
                let journal = try place.journal()
                var events = try TraceEvents()
                try await place.push(events.next(600) + [Readers.event], journal)
                try await place.drain()
                let readers = try Readers(place)

                try await die(at: crash, place) { try await place.push(events.next(5), journal) }
                // The drain goes on, whatever the dead one had frozen.
                try await place.push(events.next(100), journal)
                try await place.drain().expectSums("\(crash)")
                // Whoever is next: he goes on with what is left, or begins again.
                let found = try await place.pointer()
                let isLeft = found.isSwitching || found.builds.values.contains("building")
                let arguments = ["rebuild", "trace", "--keep", "1h"] + (isLeft ? ["--resume"] : [])
                let next = try await eventually("the dead one's lease has run out") {
                    let next = try await place.run(.release, arguments)
                    return next.cause == .exit(75) ? nil : next
                }
                #expect(next.cause == .exit(0), "\(crash): \(next.summary)")
                try await place.push(events.next(100), journal)
                try await place.drain()
                try await readers.expectNoMisses("\(crash)")
                try await place.expectNothingOrphaned("\(crash)")
                try await place.expectAllWell("trace", journal.file, comment: "\(crash)")
            }
        }

        /// Rebuilds until it is killed. What the live build has taken since the new one was last brought on is only reached where
        /// somebody drains meanwhile.
        private func die(at crash: Crash, _ place: Place, push: () async throws -> Void) async throws {
            let worker = crash.point == .frozenReached ? try place.start(.release, ["run"]) : nil
            for _ in 0..<(worker == nil ? 1 : 20) {
                let environment = ["MILLRACE_CRASH_AT": "\(crash.point.rawValue):\(crash.count)"]
                let rebuild = try place.start(.debug, ["rebuild", "trace", "--keep", crash.keep], environment: environment)
                while worker != nil, rebuild.isRunning { try await push() }
                let ended = try await rebuild.ended()
                if ended.cause == .signal(SIGKILL) {
                    try await worker?.expectStop()
                    return
                }
                guard worker != nil, ended.cause == .exit(0) else { throw Failure("the point was never hit: \(ended.summary)") }
            }
            throw Failure("the point was never hit")
        }
    }

    @Suite(.onStage) struct RebuildUnderLoadTests {
        @Test(arguments: Seed.ofThisRun) func `MongoDB steps down every 5 s during rebuilds under load`(seed: Seed) async throws {
            let stage = try OnStage.current
            let streams = [Place.Stream(partitions: 2, settings: ["chunk: { events: 200 }"])]
            try await Place.with(streams, on: stage.servers, lease: "2s") { place in
                var events = TraceEvents(seed, keys: 500)
                let journal = try place.journal()
                try await place.push(events.next(20_000) + [Readers.event], journal)
                try await place.drain(within: .seconds(120))
                let readers = try Readers(place)
                let worker = try place.start(.release, ["run"])
                let stepping = Task {
                    var times = 0
                    while !Task.isCancelled {
                        try? await Task.sleep(for: .seconds(5))
                        let primary = try await stage.admin(stage.primary())
                        if (try? await primary.command(["replSetStepDown": 3, "secondaryCatchUpPeriodSecs": 2], in: "admin")) != nil { times += 1 }
                    }
                    return times
                }
                var rebuilds = 0
                let deadline = ContinuousClock.now + .seconds(Root.isLong ? 120 : 25)
                while ContinuousClock.now < deadline {
                    // Slow enough to meet one.
                    let rebuild = try place.start(.release, ["rebuild", "trace", "--keep", "5s", "--throttle", "8000"])
                    while rebuild.isRunning { try await place.push(events.next(50), journal) }
                    let ended = try await rebuild.ended()
                    #expect(ended.cause == .exit(0), "\(ended.summary)")
                    rebuilds += 1
                }
                stepping.cancel()
                let times = try await stepping.value
                try await stage.repair()
                try await worker.expectStop()
                try await place.drain(within: .seconds(120))
                let reads = try await readers.expectNoMisses("stepping down")
                try await place.expectAllWell("trace", journal.file)
                tally("\(rebuilds) rebuilds under load with \(times) elections, \(reads) reads, none of which saw neither build (\(seed))")
                #expect(times > 2)
            }
        }
    }
}

/// Whoever reads a document over and over while builds come and go: by the pointer, as Millrace does, and through the view.
private final class Readers: Sendable {
    private let reading: Task<(reads: Int, misses: [String]), any Error>

    private static let key: Value = "read-all-the-time"

    /// Makes the document that is read. No other event is of its key, so that nothing removes it.
    static let event = Array(
        #"{"eventId":"read-1","eventType":"counted","key":"read-all-the-time","occurredAt":"2026-11-20T10:00:00.000Z","data":{"amount":1,"seq":1,"tag":"red"}}"#
            .utf8)

    init(_ place: Place) throws {
        let mongo = try MongoProbe(url: place.servers.mongodb + "&connectTimeoutMS=3000", database: place.database)
        let key = Self.key
        reading = Task {
            var (reads, misses): (Int, [String]) = (0, [])
            while !Task.isCancelled {
                // A server that elects is not what is looked for.
                guard let live = try? await Self.live(mongo) else { continue }
                if let found = try? await mongo.find(live, ["_id": key], limit: 1) {
                    reads += 1
                    if found.isEmpty, try await Self.live(mongo) == live { misses.append("\(live) has no \(key)") }
                }
                if let found = try? await mongo.find("trace", ["_id": key], limit: 1) {
                    reads += 1
                    if found.isEmpty { misses.append("the view has no \(key), and \(live) was live before") }
                }
            }
            return (reads, misses)
        }
    }

    private static func live(_ mongo: MongoProbe) async throws -> String {
        try await mongo.find("millrace.definitions", limit: 1).first?["live"]?.asString ?? ""
    }

    @discardableResult
    func expectNoMisses(_ comment: Comment) async throws -> Int {
        reading.cancel()
        let (reads, misses) = try await reading.value
        #expect(misses.isEmpty, comment)
        #expect(reads > 20, comment)
        return reads
    }
}

extension Place {
    struct Pointer {
        var live: String?
        var isSwitching: Bool
        /// States by build.
        var builds: [String: String]
    }

    func pointer() async throws -> Pointer {
        guard let found = try await mongo.find("millrace.definitions").first else { throw Failure("there is no pointer document") }
        let builds = (found["builds"]?.asArray ?? []).compactMap(\.asDocument).map { ($0["build"]?.asString ?? "", $0["state"]?.asString ?? "") }
        return Pointer(live: found["live"]?.asString, isSwitching: found["switch"] != .null, builds: Dictionary(builds, uniquingKeysWith: { $1 }))
    }

    /// Every collection, checkpoint and letter is of a build that is live or kept, the view is where the pointer is, and nothing is frozen.
    func expectNothingOrphaned(_ comment: Comment) async throws {
        let pointer = try await pointer()
        #expect(!pointer.isSwitching && pointer.builds.values.allSatisfy { $0 == "live" || $0 == "kept" }, comment)
        let known = Set(pointer.builds.keys)
        let reply = try await mongo.command(["listCollections": 1])
        let found = reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap(\.asDocument) ?? []
        #expect(Set(found.compactMap { $0["name"]?.asString }.filter { $0.contains("@") }) == known, comment)
        let view = found.first { $0["name"] == "trace" }?["options"]?.asDocument
        #expect(view?["viewOn"]?.asString == pointer.live, comment)
        let checkpoints = try await mongo.find("millrace.checkpoints")
        #expect(Set(checkpoints.compactMap { $0["_id"]?.asDocument?["b"]?.asString }) == known, comment)
        #expect(checkpoints.allSatisfy { $0["frozen"] == .null }, comment)
    }
}
