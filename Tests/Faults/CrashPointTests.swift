import Fixtures
import Foundation
import Projector
import Testing
import Values

extension Faults {
    /// A debug build is killed after each step of the protocol, and the next start must make it good.
    @Suite struct CrashPointTests {
        /// What is there when the process starts that will be killed.
        enum Setup: String, Sendable {
            /// A segment that somebody cut and left behind, and more in the list.
            case twoSegments
            /// The same, with the first segment half logged and its identity lost.
            case adopted
            /// The same in each of three partitions.
            case partitions
            /// The same, and a producer that goes on, for what only a long run reaches.
            case service
        }

        struct Crash: Sendable, CustomStringConvertible {
            var point: CrashPoint
            var count: Int
            var setup: Setup

            var description: String { "\(point.rawValue):\(count) (\(setup.rawValue))" }
        }

        static let crashes = CrashPoint.ofDrain.flatMap { point -> [Crash] in
            let first = Crash(point: point, count: 1, setup: .twoSegments)
            func later(_ count: Int) -> Crash { Crash(point: point, count: count, setup: .twoSegments) }
            let adopted = Crash(point: point, count: 1, setup: .adopted)
            switch point {
            // Once for each partition.
            case .leaseAcquired, .leaseReleased: return [first, Crash(point: point, count: 2, setup: .partitions)]
            // Once for each segment.
            case .cut, .tailRead, .windowRead, .progressRead, .segmentReleased: return [first, later(2), adopted]
            // Five times in the first segment.
            case .segmentRead, .chunkDecided, .chunkAppended: return [first, later(3), later(7), adopted]
            // Once for each model.
            case .checkpointRead, .completenessNoted: return [first, later(2)]
            // Once for each model and segment.
            case .documentsRead, .folded, .transactionStarted, .checkpointMoved, .deadLettersWritten, .documentsWritten, .committed:
                return [first, later(2), later(3)]
            case .leaseRenewed: return [1, 3].map { Crash(point: point, count: $0, setup: .service) }
            case .receiptWritten: return [first, Crash(point: point, count: 2, setup: .service)]
            // BridgeTests, CommandJobTests, RebuildKillTests, HistoryTests and ReconcileTests kill at the others.
            default: return []
            }
        }

        /// As many at once as two cores can take: most of the time a test waits for a dead worker's lease.
        private static let width = 6

        @Test func `after a kill at any point nothing is lost, doubled or out of order`() async throws {
            let started = ContinuousClock.now
            await forEach(Self.crashes, atOnce: Self.width) { try await survive($0) }
            tally("\(Self.crashes.count) kills at \(CrashPoint.ofDrain.count) crash points in \((ContinuousClock.now - started).rounded)")
        }

        private func survive(_ crash: Crash) async throws {
            let stream = Place.Stream(
                partitions: crash.setup == .partitions ? 3 : 1, settings: ["chunk: { events: 100 }", "maxEventBytes: 16KiB"], models: ["trace", "trace-again"]
            )
            try await Place.with([stream]) { place in
                let journal = try place.journal()
                var load = try Load()
                try await load.push(to: place, journal)
                for partition in 0..<stream.partitions { try await place.leaveSegment(partition) }
                try await load.push(to: place, journal)
                var loggedBefore = 0
                if crash.setup == .adopted { loggedBefore = try await loseIdentity(place) }

                let mode = crash.setup == .service ? ["run"] : ["drain", "--once", "--json"]
                let child = try place.start(.debug, mode, environment: ["MILLRACE_CRASH_AT": "\(crash.point.rawValue):\(crash.count)"])
                if crash.setup == .service { try await load.keepPushing(to: place, journal, while: child) }
                let ended = try await child.ended(within: .seconds(30))
                guard ended.cause == .signal(SIGKILL) else { throw Failure("the point was never hit: \(ended.summary)") }
                if crash.count == 1 && crash.setup == .twoSegments { try await expectState(at: crash.point, place) }

                let receipt = try await place.drain()
                receipt.expectSums("\(crash)")
                let verdict = try await place.expectAllWell("trace", journal.file, maxEventBytes: Load.maxEventBytes, comment: "\(crash)")
                // What had lost its identity is read again, and nothing else is.
                #expect(verdict.log["duplicate"] ?? 0 == verdict.duplicates + loggedBefore, "\(crash)")
                try await load.expectKept(in: place, "\(crash)")
            }
        }

        /// Logs a part of the first segment, and takes its identity away. Returns how many elements were logged.
        private func loseIdentity(_ place: Place) async throws -> Int {
            let ended = try await place.run(.debug, ["drain", "--once"], environment: ["MILLRACE_CRASH_AT": "chunk-appended:2"])
            guard ended.cause == .signal(SIGKILL) else { throw Failure("chunk-appended:2 was never hit: \(ended.summary)") }
            #expect(try await place.redis.call("DEL", place.list() + ":segment:id") == "1")
            return try await place.mongo.tail("trace")
        }

        /// That the place is where its name says.
        private func expectState(at point: CrashPoint, _ place: Place) async throws {
            let chunks = try await place.mongo.count("millrace.log")
            let moved = try await place.mongo.checkpoints("trace").filter { $0 > 0 }.count
            let hasSegment = try await place.redis.exists(place.list() + ":segment")
            switch point {
            // Where each build stands is read before anything is touched.
            case .leaseAcquired, .checkpointRead:
                #expect(chunks == 0 && moved == 0, "\(point)")
                #expect(try await place.redis.exists(place.list() + ":fence") == false, "\(point)")
            case .cut, .tailRead, .windowRead, .progressRead, .segmentRead, .chunkDecided:
                #expect(chunks == 0 && hasSegment, "\(point)")
                #expect(try await place.redis.exists(place.list() + ":fence"), "\(point)")
            case .chunkAppended: #expect(chunks == 1 && hasSegment, "\(point)")
            case .segmentReleased: #expect(chunks == 5 && !hasSegment, "\(point)")
            case .documentsRead, .folded, .transactionStarted, .checkpointMoved, .deadLettersWritten, .documentsWritten:
                #expect(chunks >= 5 && moved == 0, "\(point)")
                #expect(try await place.mongo.count("millrace.dead_letters") == 0, "\(point)")
            case .committed: #expect(moved == 1, "\(point)")
            case .completenessNoted: #expect(moved == 2, "\(point)")
            case .receiptWritten: #expect(try await place.mongo.count("millrace.runs") == 1, "\(point)")
            case .leaseReleased:
                #expect(try await place.mongo.find("millrace.leases").first?["until"]?.asDate == 0, "\(point)")
            default: break
            }
        }
    }
}

/// What the crash tests push: two segments' worth of events with everything among them that takes a way of its own.
private struct Load {
    static let maxEventBytes = 16 << 10
    private static let events = 440

    private var events: TraceEvents
    private var oversize: [[UInt8]] = []
    private var refused = 0
    private var parked = 0

    init() throws {
        events = try TraceEvents()
    }

    mutating func push(to place: Place, _ journal: Journal) async throws {
        var elements = events.next(Self.events)
        // Duplicates, near and far.
        elements += [elements[3], elements[200], elements[Self.events - 1]]
        try await place.push(elements, journal)
        // What follows is behind everything that the adopted segment logs twice: an element without an id cannot be
        // recognised.
        let large = events.next().replacing("{\"amount\"", with: "{\"padding\":\"\(String(repeating: "x", count: 100 << 10))\",\"amount\"")
        let odd = ["{\"eventId\":", large]
        // An event like any other, which the models cannot take.
        let unfit = events.next().replacing("\"amount\"", with: "\"amounts\"").replacing("\"removed\"", with: "\"counted\"")
        try await journal.append(odd.map { Array($0.utf8) })
        try await place.push(odd.map { Array($0.utf8) }, onto: place.list())
        try await place.push([Array(unfit.utf8)] + events.next(4), journal)
        oversize.append(Array(large.utf8))
        refused += odd.count
        parked += 1
    }

    mutating func keepPushing(to place: Place, _ journal: Journal, while child: Child) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while child.isRunning, ContinuousClock.now < deadline {
            try await place.push(events.next(20), journal)
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Nothing of what was refused and parked is lost or doubled either.
    func expectKept(in place: Place, _ comment: Comment) async throws {
        #expect(try await place.redis.elements(of: place.list() + ":oversize") == oversize, comment)
        let models = place.streams[0].models.count
        #expect(try await place.mongo.count("millrace.dead_letters") == refused + parked * models, comment)
    }
}

extension Place {
    /// Leaves what is in a list as a worker leaves it that dies right after its cut.
    fileprivate func leaveSegment(_ partition: Int) async throws {
        let list = list("trace", partition)
        try await redis.call("RENAME", list, list + ":segment")
        try await redis.call("SET", list + ":segment:id", UUID().uuidString.lowercased())
        try await redis.call("INCR", list + ":cuts")
    }
}
