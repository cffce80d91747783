import EventFixtures
import Events
import Fixtures
import Foundation
import Testing
import Values

/// Documents as they were, and the snapshots that they are folded from.
@Suite(.serialized) struct HistoryTests {
    private static func events(_ numbers: Range<Int>, keys: Int = 1) -> [EventText] {
        numbers.map { EventText("\($0)", "stockAdjusted", key: .string("k\($0 % keys)"), data: ["delta": 1]) }
    }

    private static func positions(_ installation: Installation, _ key: String) async throws -> [(position: String, at: String)] {
        try await installation.jsonLines("events", "product", "--key", key).compactMap { line in
            guard let position = line["position"]?.asString, let at = line["loggedAt"]?.asString else { return nil }
            return (position, at)
        }
    }

    @Test func `a document is shown as it was after each event, and at any time, with and without snapshots`() async throws {
        try await Installation.run(partitions: 2) { installation in
            #expect(try await installation.json("snapshot")["snapshots"] == .array([]), "nothing is there to be made one of")
            for round in 0..<4 {
                try await installation.drain(Self.events(round * 6..<(round + 1) * 6, keys: 3))
                if round % 2 == 1 {
                    let made = try #require(try await installation.json("snapshot")["snapshots"]?.asArray?.compactMap(\.asDocument))
                    #expect(made.map { $0["offset"]?.asInteger ?? 0 }.reduce(0, +) == Int64((round + 1) * 6))
                    #expect(made.map { $0["documents"]?.asInteger ?? 0 }.reduce(0, +) == 3)
                    #expect(made.map { $0["events"]?.asInteger ?? 0 }.reduce(0, +) == 12)
                }
            }
            let runs = try await installation.json("runs", "list", "--kind", "snapshot")["runs"]?.asArray ?? []
            #expect(runs.map { $0.asDocument?["sums"]?.number("events") } == [12, 12, 0])
            let all = try await Self.positions(installation, "k1")
            #expect(all.count == 8)
            for (number, place) in all.enumerated() {
                let then = try await installation.json("get", "product", "k1", "--position", place.position)
                #expect(then == ["_id": "k1", "stock": .int32(Int32(number + 1))])
            }
            // All events of one drain were logged at one time.
            let times = Array(Set(all.map(\.at))).sorted()
            #expect(try await installation.json("get", "product", "k1", "--at", times[0])["stock"] == 2)
            #expect(try await installation.json("get", "product", "k1", "--at", times[times.count - 1])["stock"] == 8)
            let before = try await installation.millrace("get", "product", "k1", "--at", "2020-01-01T00:00:00Z")
            #expect(before.code == 1 && before.errors.contains("no-such-document: product has no document k1 at 2020-01-01T00:00:00Z"))
        }
    }

    @Test func `what cannot be answered is refused with the reason`() async throws {
        try await Installation.run(partitions: 2) { installation in
            try await installation.drain(Self.events(0..<6, keys: 6))
            let place = try #require(try await Self.positions(installation, "k1").first?.position)
            func refused(_ option: String, _ value: String, id: String = "k1") async throws -> (Int32, String) {
                let ended = try await installation.millrace("get", "product", id, option, value)
                #expect(ended.output == "")
                return (ended.code, ended.errors)
            }
            #expect(try await refused("--at", "yesterday") == (65, "millrace: bad-input: --at yesterday is no time: write it as 2026-11-20T10:00:00Z\n"))
            let future = try await refused("--at", "2999-01-01T00:00:00Z")
            #expect(future.0 == 65 && future.1.contains("is still to come"))
            #expect(try await refused("--position", "x").0 == 65)
            let parts = place.split(separator: "/")
            let foreign = try await refused("--position", "0000/\(parts[1])/\(parts[2])")
            #expect(foreign.0 == 65 && foreign.1.contains("in another log"))
            let behind = try await refused("--position", "\(parts[0])/\(parts[1])/\(parts[2].split(separator: "@")[0])@99")
            #expect(behind.0 == 65 && behind.1.contains("behind the log's end"))
            func partition(_ key: String) -> Int { Partitioning.partition(of: key.utf8, count: 2) }
            let other = try #require(["k0", "k2", "k3", "k4", "k5"].first { partition($0) != partition("k1") })
            let elsewhere = try await refused("--position", place, id: other)
            #expect(elsewhere.0 == 65 && elsewhere.1.contains("in another partition"))
            #expect(try await installation.millrace("get", "product", "k1", "--at", "2020-01-01T00:00:00Z", "--position", place).code == 64)

            // Logged, and not in effect.
            try await installation.command([
                "update": "millrace.checkpoints", "updates": [["q": [:], "u": ["$set": ["offset": .int64(0)]], "multi": true]],
                "writeConcern": ["w": "majority"],
            ])
            let early = try await refused("--position", place)
            #expect(early.0 == 75 && early.1.contains("not-caught-up"))
        }
    }

    @Test func `an event that is dropped later is not in the past either, snapshot or not`() async throws {
        let model = "version: 1\nmodel: product\nstream: product\nonError: hold\nfold:\n  stockAdjusted: { $inc: { stock: $data.delta } }\n"
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            let deltas: [Value] = [1, "many", 10, 100]
            let texts = deltas.enumerated().map { EventText("\($0)", "stockAdjusted", key: "a", data: ["delta": $1]).json + "\n" }.joined()
            _ = try await installation.millrace("push", "product", input: texts)
            _ = try await installation.json("drain", "--once", code: 1)
            #expect(try await installation.json("snapshot")["snapshots"]?.asArray?.count == 1)
            let places = try await Self.positions(installation, "a").map(\.position)
            func stocks() async throws -> [Value?] {
                var stocks: [Value?] = []
                for place in places { stocks.append(try await installation.json("get", "product", "a", "--position", place)["stock"]) }
                return stocks
            }
            #expect(try await stocks() == [1, 1, 1, 1], "held behind what is parked")
            _ = try await installation.json("dead", "drop", "--all")
            #expect(try await stocks() == [1, 1, 11, 111])
            let again = try #require(try await installation.json("snapshot")["snapshots"]?.asArray?.first?.asDocument)
            #expect(again["events"] == 4, "the one before tells another truth")
            #expect(try await stocks() == [1, 1, 11, 111])
            _ = try await installation.json("dead", "restore", "--all")
            #expect(try await stocks() == [1, 1, 1, 1])
            // What is held goes on being held when a snapshot is all that is known of it.
            _ = try await installation.json("snapshot")
            _ = try await installation.millrace("push", "product", input: EventText("9", "stockAdjusted", key: "a", data: ["delta": 1000]).json)
            _ = try await installation.json("drain", "--once")
            let last = try #require(try await Self.positions(installation, "a").last?.position)
            #expect(try await installation.json("get", "product", "a", "--position", last)["stock"] == 1)
        }
    }

    @Test func `a document that had expired then is not shown, and one that has expired since is`() async throws {
        let model = "version: 1\nmodel: product\nstream: product\nttl: 1s\nfold:\n  stockAdjusted: { $inc: { stock: $data.delta } }\n"
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            try await installation.drain(Self.events(0..<1))
            _ = try await installation.json("snapshot")
            let place = try #require(try await Self.positions(installation, "k0").first?.position)
            _ = try await eventually("it has expired") { try await installation.millrace("get", "product", "k0").code == 1 ? true : nil }
            #expect(try await installation.json("get", "product", "k0", "--position", place)["stock"] == 1)
            let now = DateTime.format(milliseconds: Int64(Date().timeIntervalSince1970 * 1000) - 50)
            #expect(try await installation.millrace("get", "product", "k0", "--at", now).code == 1)
            try await installation.drain(Self.events(1..<2))
            _ = try await installation.json("snapshot")
            let second = try #require(try await Self.positions(installation, "k0").last?.position)
            #expect(try await installation.json("get", "product", "k0", "--position", second)["stock"] == 1)
        }
    }

    @Test func `a snapshot that is killed at any step leaves nothing that is used, and the next removes it`() async throws {
        for point in ["snapshot-begun", "snapshot-written", "snapshot-completed", "snapshot-head-removed"] {
            try await Installation.run(lease: "1s") { installation in
                try await installation.drain(Self.events(0..<600, keys: 600))
                _ = try await installation.json("snapshot", "--keep", "1")
                try await installation.drain(Self.events(600..<1200, keys: 600))
                let killed = try await installation.millrace("snapshot", "--keep", "1", environment: ["MILLRACE_CRASH_AT": point])
                #expect(killed.code == 128 + SIGKILL, "\(point): \(killed.errors)")
                let first = try #require(try await Self.positions(installation, "k7").first?.position)
                #expect(try await installation.json("get", "product", "k7", "--position", first)["stock"] == 1, "\(point)")
                let made = try await eventually("the dead one's lease has run out") {
                    let ended = try await installation.millrace("snapshot", "--keep", "1", "--json")
                    return ended.code == 75 ? nil : ended
                }
                #expect(made.code == 0, "\(point): \(made.errors)")
                // A head, and two blocks of two parts each.
                #expect(try await installation.documents("millrace.snapshots").count == 5, "\(point)")
                #expect(try await installation.json("get", "product", "k7")["stock"] == 2)
                let last = try #require(try await Self.positions(installation, "k7").last?.position)
                #expect(try await installation.json("get", "product", "k7", "--position", last)["stock"] == 2, "\(point)")
            }
        }
    }

    @Test func `a second one is refused with the holder's name, and a damaged block is noticed`() async throws {
        try await Installation.run(lease: "60s") { installation in
            try await installation.drain(Self.events(0..<6, keys: 3))
            let frozen = try installation.start(["snapshot"], environment: ["MILLRACE_FREEZE_AT": "snapshot-begun"])
            _ = try await eventually("it is frozen") { frozen.isFrozen ? true : nil }
            let second = try await installation.millrace("snapshot")
            #expect(second.code == 75)
            #expect(second.errors.contains("lease-held: ") && second.errors.contains("/\(frozen.pid)/"), "\(second.errors)")
            frozen.send(SIGCONT)
            #expect(try await frozen.ended().code == 0)

            try await installation.command([
                "update": "millrace.snapshots", "updates": [["q": ["_id.k": 1], "u": ["$set": ["raw": .binary([1, 2, 3])]]]],
                "writeConcern": ["w": "majority"],
            ])
            let place = try #require(try await Self.positions(installation, "k1").last?.position)
            #expect(try await installation.json("get", "product", "k1", "--position", place)["stock"] == 2, "the log alone will do")
            try await installation.drain(Self.events(6..<9, keys: 3))
            let made = try #require(try await installation.json("snapshot")["snapshots"]?.asArray?.first?.asDocument)
            #expect(made["events"] == 9 && made["documents"] == 3)
        }
    }
}
