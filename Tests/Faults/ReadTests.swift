import Fixtures
import Foundation
import Sandbox
import Testing

extension Faults {
    /// Whoever looks documents up, while they are written and MongoDB goes through what it goes through.
    @Suite(.onStage) struct ReadTests {
        private struct Reads: Decodable {
            var reads: Int
            var codes: [String: Int]
            var broken: Int
            var back: Int
            var slowest: Double
            var first: String?

            var failed: Int { codes.filter { !["200", "404"].contains($0.key) }.values.reduce(broken, +) }
        }

        /// With one of them, other servers have every document.
        private static let bearable = [
            "mongodb-primary-stepped-down", "mongodb-primary-killed", "mongodb-primary-frozen", "mongodb-secondary-frozen", "mongodb-secondaries-frozen",
            "mongodb-secondary-killed", "mongodb-secondaries-apply-nothing",
        ]
        private static let short = ["mongodb-primary-stepped-down", "mongodb-secondary-frozen"]

        /// A service that drains and serves, events that come all the time, and readers; `body` is given where health is told.
        private func reading(_ stage: Stage, readers number: Int = 8, count: Int? = nil, _ body: (Scene, URL, Child) async throws -> Void) async throws -> Reads
        {
            var result: Reads?
            try await Place.with(on: stage.servers) { place in
                var events = try TraceEvents(keys: 500)
                let journal = try place.journal()
                let seed = try #require(Seed.ofThisRun.first)
                let scene = Scene(stage, place, journal, round: 0, seed)
                try await place.push(events.next(2000), journal)
                try await place.drain()
                let service = try place.start(
                    .release, ["run"], environment: ["MILLRACE_API_LISTEN": "127.0.0.1:0", "MILLRACE_HEALTH_LISTEN": "127.0.0.1:0"])
                func address(_ what: String) async throws -> Substring {
                    try await eventually("it says where \(what) is") {
                        let line = service.log.split(separator: "\n").first { $0.hasSuffix(what) }
                        return line?.firstMatch(of: /http:\/\/[^ ]+/)?.output
                    }
                }
                let (api, health) = (try await address("read API"), try await address("health and metrics"))
                let arguments =
                    [Root.path("Tests/http/readers.py"), String(api.split(separator: ":").last ?? ""), "trace", "\(number)"] + (count.map { ["\($0)"] } ?? [])
                let readers = try Child("/usr/bin/python3", arguments, files: place.directory)
                try await until("they read") { (try? String(contentsOf: readers.output, encoding: .utf8))?.isEmpty == false }
                await scene.producer.start(pause: .milliseconds(50))
                try await body(scene, URL(string: String(health)) ?? URL(filePath: "/"), readers)
                if count == nil { readers.send(SIGTERM) }
                let ended = try await readers.ended(within: .seconds(1200))
                #expect(ended.cause == .exit(0), "\(ended.summary)")
                let last = ended.output.split(separator: "\n").last.map(String.init) ?? ""
                result = try JSONDecoder().decode(Reads.self, from: Data(last.utf8))
                try await scene.producer.finish()
                try await service.expectStop()
            }
            return try #require(result)
        }

        private func strike(_ name: String, _ scene: Scene) async throws {
            for fault in Fault.all where fault.name == name { try await fault.strike(scene) }
        }

        @Test(arguments: Root.isLong ? bearable : short)
        func `no lookup fails and no document goes back where one server can answer`(fault: String) async throws {
            let stage = try OnStage.current
            let reads = try await reading(stage) { scene, _, _ in
                try await strike(fault, scene)
                try await scene.wait(.seconds(3))
                try await stage.repair()
            }
            #expect(reads.failed == 0, "\(fault): \(reads)")
            #expect(reads.back == 0 && reads.codes["200", default: 0] > 500 && reads.slowest < 5, "\(fault): \(reads)")
            print("faults: \(fault): \(reads.reads) lookups, 0 failed, 0 went back, the slowest took \(reads.slowest) s")
        }

        @Test func `without any server, everybody is told so at once, and served again when one is back`() async throws {
            let stage = try OnStage.current
            let reads = try await reading(stage) { scene, health, _ in
                func code(_ path: String) async throws -> Int? {
                    let ended = try await Child(
                        "/usr/bin/curl", ["-s", "-o", "/dev/null", "-m", "10", "-w", "%{http_code}", "\(health)\(path)"], files: scene.place.directory
                    ).ended()
                    return Int(ended.output)
                }
                try await until("it is ready") { try await code("/readyz") == 200 }
                for member in Sandbox.Server.members { try await stage.sandbox.kill(member) }
                try await until("it is not ready") { try await code("/readyz") == 503 }
                #expect(try await code("/livez") == 200)
                try await scene.wait(.seconds(2))
                for member in Sandbox.Server.members { try await stage.sandbox.restart(member) }
                try await stage.repair()
                try await until("it is ready") { try await code("/readyz") == 200 }
                try await scene.wait(.seconds(2))
            }
            #expect(reads.back == 0 && reads.broken == 0 && Set(reads.codes.keys).isSubset(of: ["200", "404", "503"]), "\(reads)")
            #expect(reads.codes["503", default: 0] > 0 && reads.slowest < 5, "\(reads)")
            print("faults: all members killed: \(reads.reads) lookups, \(reads.failed) refused, 0 went back, the slowest took \(reads.slowest) s")
        }

        @Test(.enabled(if: Root.isLong)) func `a million lookups during elections, and none goes back`() async throws {
            let stage = try OnStage.current
            var elections = 0
            let reads = try await reading(stage, readers: 64, count: 1_000_000) { scene, _, readers in
                while readers.isRunning {
                    try await strike("mongodb-primary-stepped-down", scene)
                    elections += 1
                    try await scene.wait(.seconds(6))
                }
            }
            #expect(reads.reads >= 1_000_000 && reads.failed == 0 && reads.back == 0 && reads.slowest < 5, "\(reads)")
            print("faults: \(elections) elections: \(reads.reads) lookups, 0 failed, 0 went back, the slowest took \(reads.slowest) s")
        }
    }
}
