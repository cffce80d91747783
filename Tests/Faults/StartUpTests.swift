import Foundation
import Testing
import Values

extension Faults {
    /// What a person must change first is said in one clear line, and nothing is touched.
    @Suite struct StartUpTests {
        /// `drain --once` and `run` both refuse: exit code 78, and one line that says why.
        private func expectRefusal(_ place: Place, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws {
            for arguments in [["drain", "--once"], ["run"]] {
                let ended = try await place.run(.release, arguments, within: .seconds(30))
                #expect(ended.cause == .exit(78), "\(arguments): \(ended.errors)", sourceLocation: sourceLocation)
                let complaints = ended.errors.split(separator: "\n").filter { $0.hasPrefix("millrace: ") }
                #expect(complaints.count == 1, "\(arguments): \(ended.errors)", sourceLocation: sourceLocation)
                for word in words { #expect(complaints.first?.contains(word) == true, "\(arguments): \(ended.errors)", sourceLocation: sourceLocation) }
                #expect(ended.output.isEmpty, sourceLocation: sourceLocation)
            }
        }

        /// A place with a stored installation, whose log and documents hold something.
        private func withUsedPlace(_ streams: [Place.Stream] = [Place.Stream()], _ body: (Place, Journal) async throws -> Void) async throws {
            try await Place.with(streams) { place in
                let journal = try place.journal()
                var events = try TraceEvents()
                try await place.push(events.next(50), journal)
                try await place.drain()
                // What a refused start must leave where it is.
                try await place.push(events.next(50), journal)
                try await body(place, journal)
            }
        }

        // MARK: Servers

        @Test func `a MongoDB that is no replica set is refused`() async throws {
            let shared = try await Servers.shared()
            try await OwnServer.standaloneMongoDB { server in
                try await Place.with(on: Servers(redis: shared.redis, mongodb: "mongodb://127.0.0.1:\(server.port)/")) { place in
                    try await expectRefusal(place, "unsafe-server", "not a replica set")
                }
            }
        }

        @Test func `a Redis that is a replica is refused`() async throws {
            let shared = try await Servers.shared()
            try await OwnServer.redis(["--replicaof", "127.0.0.1", "1"]) { server, _ in
                try await Place.with(on: Servers(redis: "redis://127.0.0.1:\(server.port)", mongodb: shared.mongodb)) { place in
                    try await expectRefusal(place, "unsafe-server", "is a replica", "127.0.0.1:1")
                }
            }
        }

        @Test(arguments: ["allkeys-lru", "allkeys-random"]) func `a Redis that evicts lists is refused`(policy: String) async throws {
            let shared = try await Servers.shared()
            try await OwnServer.redis(["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", policy]) { server, _ in
                try await Place.with(on: Servers(redis: "redis://127.0.0.1:\(server.port)", mongodb: shared.mongodb)) { place in
                    try await expectRefusal(place, "unsafe-server", policy, "noeviction")
                }
            }
        }

        @Test func `a Redis that can lose events is warned of, once for each reason, and used`() async throws {
            let shared = try await Servers.shared()
            try await OwnServer.redis(["--appendonly", "no", "--maxmemory-policy", "volatile-lru"]) { server, redis in
                try await Place.with(on: Servers(redis: "redis://127.0.0.1:\(server.port)", mongodb: shared.mongodb)) { place in
                    let journal = try place.journal()
                    var events = try TraceEvents()
                    try await place.push(events.next(50), journal)
                    let ended = try await place.run(.release, ["drain", "--once", "--json"])
                    #expect(ended.cause == .exit(0), "\(ended.errors)")
                    let warnings = ended.errors.split(separator: "\n").filter { $0.contains(" warning ") }
                    #expect(warnings.count == 3, "\(ended.errors)")
                    for word in ["volatile-lru", "appendonly", "maxmemory is 0"] { #expect(warnings.filter { $0.contains(word) }.count == 1, "\(word)") }
                    try await place.expectAllWell("trace", journal.file)
                }
                // The same server, set as it should be: nothing to say.
                for (name, value) in [("appendonly", "yes"), ("maxmemory", "100mb"), ("maxmemory-policy", "noeviction")] {
                    try await redis.call("CONFIG", "SET", name, value)
                }
                try await Place.with(on: Servers(redis: "redis://127.0.0.1:\(server.port)", mongodb: shared.mongodb)) { place in
                    let ended = try await place.run(.release, ["drain", "--once"])
                    #expect(ended.cause == .exit(0) && ended.errors.isEmpty, "\(ended.errors)")
                }
            }
        }

        @Test func `a Redis user without the right to CONFIG is enough`() async throws {
            let shared = try await Servers.shared()
            try await OwnServer.redis(["--appendonly", "yes", "--maxmemory", "100mb"]) { server, redis in
                try await redis.call("ACL", "SETUSER", "drain", "on", ">secret", "~events:*", "+@all", "-@admin", "-@dangerous", "+info")
                try await redis.call("ACL", "SETUSER", "default", "-config")
                let url = "redis://drain:secret@127.0.0.1:\(server.port)"
                try await Place.with(on: Servers(redis: url, mongodb: shared.mongodb)) { place in
                    let journal = try place.journal()
                    var events = try TraceEvents()
                    try await place.push(events.next(50), journal)
                    #expect(try await place.drain().received == 50)
                    try await place.expectAllWell("trace", journal.file)
                }
            }
        }

        // MARK: What is stored

        @Test func `another installation's list is refused, and left as it is`() async throws {
            try await withUsedPlace { place, journal in
                let other = ["MILLRACE_MONGODB_DATABASE": place.database + "-other"]
                for arguments in [["drain", "--once"], ["run"]] {
                    let ended = try await place.run(.release, arguments, environment: other)
                    #expect(ended.cause == .exit(78))
                    #expect(ended.errors.hasPrefix("millrace: other-installation: the list \(place.list()) belongs to the installation "), "\(ended.errors)")
                    #expect(ended.errors.split(separator: "\n").count == 1, "\(ended.errors)")
                }
                try await place.mongo.command(["dropDatabase": 1], in: place.database + "-other")
                #expect(try await place.redis.length(of: place.list()) == 50)
                try await place.drain()
                try await place.expectAllWell("trace", journal.file)
            }
        }

        enum Kind: String, CaseIterable, Sendable {
            case installation = "millrace.meta"
            case chunk = "millrace.log"
            case checkpoint = "millrace.checkpoints"
            case definition = "millrace.definitions"
            case lease = "millrace.leases"
        }

        @Test(arguments: Kind.allCases) func `what a newer Millrace wrote is refused, and left as it is`(kind: Kind) async throws {
            try await withUsedPlace { place, journal in
                let filter: Document = kind == .installation ? ["_id": "installation"] : [:]
                try await place.mongo.update(kind.rawValue, filter, ["$set": ["format": 99]])
                let ended = try await place.run(.release, ["drain", "--once"], within: .seconds(30))
                #expect(ended.cause == .exit(78), "\(ended.errors)")
                let complaints = ended.errors.split(separator: "\n").filter { $0.hasPrefix("millrace: ") }
                #expect(complaints.count == 1 && complaints[0].contains("format 99"), "\(ended.errors)")
                #expect(try await place.mongo.tail("trace") <= 100)
                // As it was, it goes on, so that nothing was spoilt.
                try await place.mongo.update(kind.rawValue, filter, ["$set": ["format": 1]])
                try await place.drain()
                try await place.expectAllWell("trace", journal.file)
            }
        }

        @Test func `a changed number of partitions is refused`() async throws {
            try await withUsedPlace { place, journal in
                try place.configure([Place.Stream(partitions: 2)])
                try await expectRefusal(place, "partitions-changed", "made with 1 partitions", "says 2")
                try place.configure(place.streams)
                try await place.drain()
                try await place.expectAllWell("trace", journal.file)
            }
        }

        // MARK: Definitions

        @Test func `a model of another fold version stands still, and the stream's other model goes on`() async throws {
            try await withUsedPlace([Place.Stream(models: ["trace", "trace-again"])]) { place, journal in
                func set(_ version: Int64) async throws {
                    try await place.mongo.update("millrace.definitions", ["_id": "trace-again"], ["$set": ["builds.0.foldVersion": .int64(version)]])
                }
                let carried = try await place.mongo.find("millrace.definitions", ["_id": "trace-again"]).first?["builds"]?.asArray?.first?.asDocument
                try await set(99)
                let ended = try await place.run(.release, ["drain", "--once", "--json"])
                #expect(ended.cause == .exit(0), "\(ended.errors)")
                let errors = ended.errors.split(separator: "\n").filter { $0.contains("not projected") }
                #expect(errors.count == 1 && errors[0].contains("trace-again"), "\(ended.errors)")
                let receipt = try DrainReceipt(of: ended)
                receipt.expectSums()
                #expect(receipt.models["trace"]?.applied == 50)
                #expect(receipt.models["trace-again"] == nil)
                let status = try await place.status()
                #expect(status.models["trace"]?.lag == 0)
                #expect(status.models["trace-again"]?.lag == 50)
                #expect(status.models["trace-again"]?.note.contains("not projected: folded by version 99") == true)
                #expect(try await place.run(.release, ["check"]).output.contains("not projected"))
                // By a binary that carries the version, it catches up.
                try await set(#require(carried?["foldVersion"]?.asInteger))
                try await place.drain()
                try await place.expectAllWell("trace", journal.file)
            }
        }

        @Test func `an edited fold needs a rebuild, and the live model goes on under its old definition`() async throws {
            try await withUsedPlace { place, journal in
                let source = try place.read("config/models/trace.yaml")
                try place.write("config/models/trace.yaml", source.replacing("$inc: { n: 1,", with: "$inc: { n: 2,"))
                let check = try await place.run(.release, ["check"])
                #expect(check.cause == .exit(0) && check.output.contains("rebuild needed"), "\(check.output)")
                #expect(try await place.status().models["trace"]?.note.contains("rebuild needed") == true)
                let ended = try await place.run(.release, ["drain", "--once"])
                #expect(ended.cause == .exit(0))
                #expect(ended.errors.contains("rebuild needed"), "\(ended.errors)")
                try await place.expectAllWell("trace", journal.file)
                // Layout and comments are no edit.
                try place.write("config/models/trace.yaml", "# A comment.\n" + source)
                #expect(try await place.run(.release, ["check"]).output.contains("live"))
            }
        }
    }
}
