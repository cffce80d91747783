import EventFixtures
import Testing
import Values

/// Commands that are stopped, and workers that hang.
@Suite(.serialized) struct InterruptionTests {
    private static let total = 30_000

    /// Runs `body` with events waiting that make many small chunks.
    private func run(lease: String, _ body: (Installation) async throws -> Void) async throws {
        try await Installation.run { installation in
            let stream = "product: { list: \"\(installation.name):{product}\", chunk: { events: 500 } }"
            try installation.write("config/millrace.yaml", "version: 1\nlease: \(lease)\nstreams: { \(stream) }\n")
            let events = (0..<Self.total).map { EventText("\($0)", "stockAdjusted", key: .string("key-\($0 % 100)"), data: ["delta": 1]).json + "\n" }
            #expect(try await installation.millrace("push", "product", input: events.joined()).code == 0)
            try await body(installation)
        }
    }

    /// How much is logged.
    private func logged(_ installation: Installation) async throws -> Int64 {
        try await installation.documents("millrace.log", [:]).compactMap { $0["n"]?.asInteger }.reduce(0, +)
    }

    /// A drain that stands still in the middle of the work, however fast the machine is, until it is sent SIGCONT.
    private func frozenDrain(_ installation: Installation) async throws -> Child {
        let drain = try installation.start(["drain", "--once", "--json"], environment: ["MILLRACE_FREEZE_AT": "chunk-appended:3"])
        _ = try await eventually("the drain stands still") { drain.isFrozen ? true : nil }
        return drain
    }

    /// Every event has taken effect once.
    private func expectEverythingOnce(_ installation: Installation) async throws {
        let documents = try await installation.documents("product")
        #expect(documents.map { $0["stock"] } == Array(repeating: .int32(Int32(Self.total / 100)), count: 100))
        let product = try await installation.json("status")["models"]?.asDocument?["product"]
        #expect(product?.number("applied") == Int64(Self.total) && product?.number("lag") == 0)
    }

    @Test(arguments: [(signal: 15, code: 143), (signal: 2, code: 130)])
    func `an interrupted drain keeps what it did, and gives its lease back at once`(signal: Int32, code: Int32) async throws {
        // A lease that nobody could wait for.
        try await run(lease: "10m") { installation in
            let drain = try await frozenDrain(installation)
            let before = try await logged(installation)
            drain.send(signal)
            drain.send(18)  // SIGCONT
            let ended = try await drain.ended(within: .seconds(20))
            #expect(ended.code == code)
            #expect(ended.output == "")
            #expect(ended.errors.contains("millrace: interrupted; everything done so far is kept"), "\(ended.errors)")

            let after = try await logged(installation)
            #expect(after >= before && after < Int64(Self.total), "it was interrupted with \(after) done, which shows nothing")
            let lease = try #require(try await installation.documents("millrace.leases").first)
            #expect(lease["until"] == .date(0), "\(lease)")

            let receipt = try await installation.json("drain", "--once")
            #expect(receipt["received"]?.asInteger == Int64(Self.total) - after)
            #expect(receipt["duplicates"] == 0)
            try await expectEverythingOnce(installation)
        }
    }

    @Test func `somebody who holds the lease and hangs makes others give up after three leases, and loses nothing`() async throws {
        try await run(lease: "10m") { installation in
            let hanging = try await frozenDrain(installation)
            let start = ContinuousClock.now
            try installation.write(
                "config/millrace.yaml", "version: 1\nlease: 1s\nstreams: { product: { list: \"\(installation.name):{product}\", chunk: { events: 500 } } }\n")
            let ended = try await installation.millrace("drain", "--once", "--json")
            let waited = ContinuousClock.now - start
            #expect(ended.code == 75)
            #expect(ended.output == "")
            #expect(ended.errors.contains("millrace: no-progress: somebody else holds product/0 and has made no progress for 3 leases"), "\(ended.errors)")
            #expect(waited > .seconds(3) && waited < .seconds(30), "\(waited)")

            hanging.send(18)  // SIGCONT
            #expect(try await hanging.ended().code == 0)
            try await expectEverythingOnce(installation)
        }
    }

    @Test func `a drain waits for whoever holds the lease and works`() async throws {
        try await run(lease: "1s") { installation in
            let first = try await frozenDrain(installation)
            let second = try installation.start(["drain", "--once", "--json"])
            first.send(18)  // SIGCONT
            for child in [first, second] {
                let ended = try await child.ended()
                #expect(ended.code == 0, "\(ended.errors)")
            }
            try await expectEverythingOnce(installation)
        }
    }
}
