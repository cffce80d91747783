import Fixtures
import Foundation
import Sandbox
import Testing

extension Faults {
    /// Redis comes back in an older state, as after a restore from a backup or a failover to a replica that lagged.
    @Suite(.ownSandbox) struct RedisRewindTests {
        @Test(arguments: Seed.ofThisRun)
        func `an older append-only file put back loses only what was pushed after it, and doubles nothing`(seed: Seed) async throws {
            let sandbox = try OwnSandbox.current
            var random = Random(seed)
            let rounds = Root.isLong ? 30 : 4
            try await Place.with([Place.Stream(settings: ["chunk: { events: 100 }"])], on: sandbox.servers(), lease: "1s") { place in
                let journal = try place.journal()
                let producer = SteadyProducer(place, journal, seed)
                await producer.start(pause: .milliseconds(5))
                let worker = try place.start(.release, ["run"])
                try await until("the worker works") { try await place.mongo.tail("trace") > 500 }
                // Where in the journal each rewind may have lost elements.
                var mayBeLost: [Range<Int>] = []
                for _ in 1...rounds {
                    try await Task.sleep(for: .milliseconds(100 + random.below(400)))
                    // A worker that stands still for a moment leaves something in the copy, …
                    worker.send(SIGSTOP)
                    try await Task.sleep(for: .milliseconds(random.below(300)))
                    let safe = await producer.acknowledged
                    try await sandbox.rewindRedis(in: place.directory) {
                        worker.send(SIGCONT)
                        try await Task.sleep(for: .milliseconds(random.below(400)))
                        // … and something that only Redis has when it is killed.
                        worker.send(SIGSTOP)
                        try await Task.sleep(for: .milliseconds(random.below(200)))
                    } down: {
                        mayBeLost.append(safe..<(await journal.count))
                    }
                    worker.send(SIGCONT)
                    let acknowledged = await producer.acknowledged
                    try await until("Redis takes events again") { await producer.acknowledged > acknowledged }
                }
                try await producer.finish()
                try await worker.expectStop()
                try await place.drain().expectSums()

                let logged = try LoggedIds(try await place.log())
                let lines = try journal.lines()
                var lost: Set<String> = []
                var kept: [String] = []
                for (index, line) in lines.enumerated() {
                    let id = try LoggedIds.id(of: line)
                    if logged.events.contains(id) {
                        kept.append(line)
                    } else {
                        lost.insert(id)
                        #expect(mayBeLost.contains { $0.contains(index) }, "\(id) was acknowledged before the copy, or pushed after the rewind, and is gone")
                    }
                }
                try place.write("kept.ndjson", kept.joined(separator: "\n") + "\n")
                let verdict = try await place.expectAllWell("trace", place.directory.appending(path: "kept.ndjson"))
                #expect(!lost.isEmpty && logged.duplicates > 0, "the rewinds took nothing away and brought nothing back")
                tally(
                    "\(rounds) rewinds of Redis: \(verdict.events) events applied once, \(logged.duplicates) came back and were duplicates, "
                        + "\(lost.count) pushed after a copy were lost (\(seed))"
                )
            }
        }

        @Test(arguments: [true, false])
        func `a copy taken while a segment is in flight resurrects nothing`(withIdentity: Bool) async throws {
            let sandbox = try OwnSandbox.current
            try await Self.withSegmentInFlight(sandbox.servers()) { place, journal in
                let id = place.list() + ":segment:id"
                let identity = try await place.redis.call("GET", id)
                if !withIdentity { try await place.redis.call("DEL", id) }
                try await sandbox.rewindRedis(in: place.directory) {
                    if !withIdentity { try await place.redis.call("SET", id, identity) }
                    #expect(try await place.drain().received == 300 - Self.loggedBefore)
                }
                let receipt = try await place.drain()
                receipt.expectSums()
                // By its identity all of it is known to be in the log. Without one every element is looked at again, and
                // found although the window is smaller than the segment.
                #expect(receipt.received == (withIdentity ? 0 : 300))
                #expect(receipt.logged == 0)
                try await place.expectAllWell("trace", journal.file)
                #expect(try await !place.redis.exists(place.list() + ":segment"))
            }
        }

        @Test func `a segment whose identity somebody deleted is adopted`() async throws {
            try await Self.withSegmentInFlight(OwnSandbox.current.servers()) { place, journal in
                try await place.redis.call("DEL", place.list() + ":segment:id")
                let receipt = try await place.drain()
                receipt.expectSums()
                #expect(receipt.received == 300)
                #expect(receipt.duplicates == Self.loggedBefore)
                try await place.expectAllWell("trace", journal.file)
            }
        }

        /// The first read takes 64 elements, the next a chunk's.
        private static let loggedBefore = 164

        /// A worker was killed while it logged a segment of 300 events, in a stream whose window holds 50.
        private static func withSegmentInFlight(_ servers: Servers, _ body: (Place, Journal) async throws -> Void) async throws {
            let stream = Place.Stream(settings: ["chunk: { events: 100 }", "dedupe: { window: 1s, events: 50 }"])
            try await Place.with([stream], on: servers, lease: "1s") { place in
                var events = try TraceEvents()
                let journal = try place.journal()
                try await place.push(events.next(300), journal)
                let ended = try await place.run(.debug, ["drain", "--once"], environment: ["MILLRACE_CRASH_AT": "chunk-appended:2"])
                #expect(ended.cause == .signal(SIGKILL))
                #expect(try await place.mongo.tail("trace") == loggedBefore)
                #expect(try await place.redis.length(of: place.list() + ":segment") == 300)
                try await body(place, journal)
            }
        }
    }
}

extension Sandbox {
    /// Copies Redis's append-only files aside while it runs, kills it after `meanwhile`, and starts it with the copy.
    ///
    /// - Parameter down: while it does not run.
    fileprivate func rewindRedis(in directory: URL, _ meanwhile: () async throws -> Void, down: () async -> Void = {}) async throws {
        let live = URL(filePath: files(of: .redis)).appending(path: "appendonlydir")
        let copy = directory.appending(path: "appendonlydir-\(UUID().uuidString.prefix(8))")
        // The end of the file may be half a command, which Redis leaves out when it loads it.
        try FileManager.default.copyItem(at: live, to: copy)
        try await meanwhile()
        try await kill(.redis)
        await down()
        try FileManager.default.removeItem(at: live)
        try FileManager.default.moveItem(at: copy, to: live)
        try await restart(.redis)
    }
}

/// What the log holds, by id.
private struct LoggedIds {
    var events: Set<String> = []
    var duplicates = 0

    private struct Entry: Decodable {
        var kind: String
        var eventId: String?
    }

    init(_ log: URL) throws {
        for line in try String(contentsOf: log, encoding: .utf8).split(separator: "\n") {
            let entry = try JSONDecoder().decode(Entry.self, from: Data(line.utf8))
            if let id = entry.eventId { events.insert(id) }
            if entry.kind == "duplicate" { duplicates += 1 }
        }
    }

    static func id(of line: String) throws -> String {
        struct Event: Decodable { var eventId: String }
        return try JSONDecoder().decode(Event.self, from: Data(line.utf8)).eventId
    }
}
