import EventFixtures
import Foundation
import Testing
import Values

/// `ttl:`: documents that expire by the log's times.
@Suite(.serialized) struct TtlTests {
    private static let model = Installation.model + "ttl: 3s\n"

    private static func event(_ id: Int, _ key: String) -> EventText {
        EventText("\(id)", "stockAdjusted", key: .string(key), data: ["delta": .int32(Int32(id))])
    }

    /// When the log will have passed a document's expiry.
    private static func expiry(_ installation: Installation, _ key: String) async throws {
        let stored = try #require(try await installation.documents("product@1", ["_id": .string(key)]).first)
        guard case .date(let expires)? = stored["_expires"] else { throw Failure("\(key) does not expire: \(stored)") }
        _ = try await eventually("\(key) has expired") { () -> Bool? in
            let clock = try await installation.command(["hello": 1])["localTime"]
            guard case .date(let now)? = clock else { return nil }
            return now > expires ? true : nil
        }
    }

    @Test func `readers see it no more at once, events find it absent, and it is removed behind them, whoever is killed`() async throws {
        try await Installation.run(lease: "1s", ["config/models/product.yaml": Self.model]) { installation in
            try await installation.drain([Self.event(1, "a"), Self.event(2, "b")])
            let stored = try #require(try await installation.documents("product@1", ["_id": "a"]).first)
            #expect(stored.fields.map(\.name) == ["_id", "_position", "_expires", "stock"])
            let indexes = try await installation.command(["listIndexes": "product@1"])
            #expect(JSON.write(.document(indexes)).contains("expiry"))
            #expect(try await !installation.millrace("check", "--online").output.contains("product@1 "))
            try await Self.expiry(installation, "b")

            // Nothing was logged since.
            #expect(try await installation.documents("product@1").count == 2)
            #expect(try await installation.documents("product").isEmpty, "through the view")
            let gone = try await installation.millrace("get", "product", "a")
            #expect(gone.code == 1 && gone.errors.contains("no-such-document"))
            let explained = try await installation.json("explain", "product", "a", code: 1)
            #expect(explained["exists"] == false && explained["asLogged"] == true && explained["fields"] == [])
            #expect(stored["_expires"].map(JSON.write) == explained["expired"].map(JSON.write))
            #expect(try await installation.millrace("explain", "product", "a").output.contains("it expired at"))

            // Killed in the middle of it: when the removal's transaction has moved the checkpoint, and when it is committed.
            for (number, (point, times)) in [("checkpoint-moved", 2), ("documents-written", 2), ("committed", 1)].enumerated() {
                let pushed = try await installation.millrace("push", "product", input: Self.event(10 + number, "c\(number)").json + "\n")
                #expect(pushed.code == 0)
                let killed = try await installation.millrace("drain", "--once", environment: ["MILLRACE_CRASH_AT": "\(point):\(times)"])
                #expect(killed.code == 137 || killed.code == 0, "\(killed.errors)")
            }
            try await installation.drain([Self.event(3, "a")])
            // As they are stored: by now it may have expired again.
            #expect(try await installation.documents("product@1", ["_id": "a"]).first?["stock"]?.asInteger == 3)
            let again = try await installation.millrace("explain", "product", "a", "--json")
            #expect(try again.documents().first?["asLogged"] == true)
            let left = try await installation.documents("product@1").compactMap { $0["_id"]?.asString }
            #expect(!left.contains("b"), "\(left)")
            let totals = try #require(try await installation.documents("millrace.checkpoints").first?["totals"]?.asDocument)
            #expect(["logged", "applied", "drift"].map { totals[$0]?.asInteger } == [6, 6, 0])
            #expect(totals["inserted"]?.asInteger == (totals["deleted"]?.asInteger ?? 0) + Int64(left.count))
        }
    }

    @Test func `a dead letter that is dropped gives the documents of the log's times`() async throws {
        let model = Self.model.replacing("product\nstream", with: "product\nonError: hold\nstream").replacing("ttl: 3s", with: "ttl: 2s")
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            func drain(_ events: [EventText]) async throws {
                #expect(try await installation.millrace("push", "product", input: events.map { $0.json + "\n" }.joined()).code == 0)
                _ = try await installation.millrace("drain", "--once")
            }
            try await drain([Self.event(1, "a")])
            try await Self.expiry(installation, "a")
            let bad = EventText("2", "stockAdjusted", key: "a", data: ["delta": "two"])
            try await drain([bad, Self.event(5, "a"), Self.event(7, "a")])
            #expect(try await installation.documents("product@1").isEmpty)
            let dropped = try await installation.millrace("dead", "drop", "product@1/product/0@1")
            #expect(dropped.code == 0, "\(dropped.errors)")
            let stored = try #require(try await installation.documents("product@1", ["_id": "a"]).first)
            #expect(stored["stock"]?.asInteger == 12, "what came before the expiry does not count: \(stored)")
            let checkpoint = try #require(try await installation.documents("millrace.checkpoints").first)
            #expect(checkpoint["totals"]?.asDocument?["drift"]?.asInteger == 0)
        }
    }
}
