import BadNetwork
import Fixtures
import Foundation
import Projector
import Testing

extension Faults {
    /// Messages of Debezium Server reach the lists once and in order, whatever becomes of the bridges.
    @Suite struct BridgeTests {
        /// A bridge from two Redis streams onto three lists, and what is added to them.
        private struct Crossing {
            let place: Place
            let sources: [String]
            private let journal: Journal
            private var messages: [RowMessages]

            static func with(_ seed: Seed, _ body: (inout Crossing) async throws -> Void) async throws {
                let stream = Place.Stream(name: "row", partitions: 3, settings: ["format: debezium"], model: .rows, models: ["row"])
                try await Place.with([stream]) { place in
                    var crossing = try Crossing(place, seed)
                    try await body(&crossing)
                    _ = try await place.redis.call(["UNLINK"] + crossing.sources)
                }
            }

            private init(_ place: Place, _ seed: Seed) throws {
                self.place = place
                sources = ["products", "prices"].map { "\(place.database).\($0)" }
                journal = try place.journal()
                messages = sources.map { RowMessages(seed, name: $0) }
                let from = sources.map { "\"\($0)\"" }.joined(separator: ", ")
                try place.write("bridge/bridge.yaml", "version: 1\njob: bridge\nfrom: [ \(from) ]\nto: row\ntrim: true\n")
            }

            /// Adds messages to both Redis streams, in both of the sink's formats.
            mutating func add(_ count: Int) async throws {
                for (number, source) in sources.enumerated() {
                    for (place, message) in messages[number].next(count).enumerated() {
                        try await journal.append([message.line])
                        let fields = place % 2 == 0 ? [message.key, message.value] : ["key", message.key, "value", message.value]
                        try await self.place.redis.call(["XADD", source, "*"] + fields)
                    }
                }
            }

            func start(_ build: Build, environment: [String: String] = [:]) throws -> Child {
                try place.start(build, ["run"], jobs: "bridge", environment: environment)
            }

            /// Until nothing is left in the Redis streams: what has been moved is trimmed.
            func crossed() async throws {
                for source in sources {
                    try await until("\(source) is empty") { try await place.redis.call("XLEN", source) == "0" }
                }
            }

            /// What is still in the Redis streams.
            func left() async throws -> Int {
                var left = 0
                for source in sources { left += Int(try await place.redis.call("XLEN", source)) ?? 0 }
                return left
            }

            func expectAllWell(_ comment: Comment) async throws {
                for source in sources {
                    #expect(try await place.redis.call("XPENDING", source, "millrace").hasPrefix("[4] 0"), comment)
                }
                try await place.drain().expectSums("\(comment)")
                try await place.expectAllWell("row", journal.file, comment: comment)
            }
        }

        /// A bridge that has begun, asked to stop.
        private func expectStop(_ bridge: Child, _ comment: Comment? = nil) async throws {
            try await until("it has begun") { bridge.log.contains("bridging") }
            let ended = try await bridge.stop(within: .seconds(10))
            #expect(ended.cause == .exit(0), "\(comment?.rawValue ?? "") \(ended.summary)")
        }

        static let crashes = CrashPoint.ofBridge.flatMap { point in [1, 3].map { "\(point.rawValue):\($0)" } }

        @Test(arguments: crashes)
        func `after a kill at any point the next bridge goes on`(crash: String) async throws {
            let seed = try #require(Seed.ofThisRun.first)
            try await Crossing.with(seed) { crossing in
                try await crossing.add(400)
                // What somebody has read and not moved, under a name that nobody uses any more.
                for source in crossing.sources {
                    try await crossing.place.redis.call("XGROUP", "CREATE", source, "millrace", "0")
                    try await crossing.place.redis.call("XREADGROUP", "GROUP", "millrace", "dead", "COUNT", "250", "STREAMS", source, ">")
                }
                let bridge = try crossing.start(.debug, environment: ["MILLRACE_CRASH_AT": crash])
                #expect(try await bridge.ended().cause == .signal(SIGKILL), "the point was never hit")
                try await crossing.add(100)
                let next = try crossing.start(.release)
                try await crossing.crossed()
                try await expectStop(next)
                try await crossing.expectAllWell("\(crash) (\(seed))")
            }
        }

        @Test(arguments: Seed.ofThisRun)
        func `kill -9 at random, with two bridges at once`(seed: Seed) async throws {
            var random = Random(seed)
            let rounds = Root.isLong ? 60 : 8
            try await Crossing.with(seed) { crossing in
                var inHand = 0
                for _ in 0..<rounds {
                    try await crossing.add(600)
                    let (left, source) = (try await crossing.left(), crossing.sources[0])
                    let bridges = [try crossing.start(.release), try crossing.start(.release)]
                    try await until(every: .milliseconds(1), "they are at it") { try await crossing.left() < left }
                    try await Task.sleep(for: .milliseconds(random.below(20)))
                    for bridge in bridges { bridge.send(SIGKILL) }
                    for bridge in bridges { #expect(try await bridge.ended().cause == .signal(SIGKILL)) }
                    if try await !crossing.place.redis.call("XPENDING", source, "millrace").hasPrefix("[4] 0") { inHand += 1 }
                    // One of them dies, and the other goes on, now and then.
                    if random.once(in: 2) {
                        let (victim, survivor) = (try crossing.start(.release), try crossing.start(.release))
                        victim.send(SIGKILL)
                        #expect(try await victim.ended().cause == .signal(SIGKILL))
                        try await crossing.crossed()
                        try await expectStop(survivor)
                    }
                }
                let bridges = [try crossing.start(.release), try crossing.start(.release)]
                try await crossing.crossed()
                for bridge in bridges { try await expectStop(bridge) }
                try await crossing.expectAllWell("\(seed)")
                tally("\(rounds) times both bridges killed, \(inHand) with messages in their hands (\(seed))")
                #expect(inHand > 0, "no kill fell where it shows anything")
            }
        }

        @Test(arguments: ["EVALSHA", "XREADGROUP", "XAUTOCLAIM"])
        func `replies and requests that are lost, and ones that come late, change nothing`(command: String) async throws {
            let seed = try #require(Seed.ofThisRun.first)
            try await Crossing.with(seed) { crossing in
                let port = try #require(URL(string: crossing.place.servers.redis)?.port)
                let proxy = try Proxy(.redis, to: port)
                defer { proxy.stop() }
                try await crossing.add(300)
                proxy.expect([.pass, .loseReply, .drop, .pass, .cutReply(after: 200), .hold, .loseReply, .loseReply], of: command)
                let environment = ["MILLRACE_REDIS_URL": "redis://127.0.0.1:\(proxy.port)"]
                let bridges = [try crossing.start(.release, environment: environment), try crossing.start(.release)]
                try await until("all fates have been met") {
                    try await crossing.add(5)
                    return proxy.seen >= 8
                }
                await OwnThread.run { proxy.deliver() }
                try await crossing.crossed()
                for bridge in bridges { try await expectStop(bridge) }
                try await crossing.expectAllWell("\(command) (\(seed))")
            }
        }
    }
}
