import EventFixtures
import Fixtures
import Foundation
import Testing
import Values

/// What documents were, and what is said about all of them, over HTTP.
@Suite struct ReadPastTests {
    private static let model =
        Installation.model + """
            private: [ secret ]
            indexes: [ { stock: -1 } ]
            defaults: { tags: [] }

            """

    private static func serving(_ body: (Installation, HTTP) async throws -> Void) async throws {
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            let events = [
                EventText("1", "stockAdjusted", key: "a", data: ["delta": 1]), EventText("2", "stockAdjusted", key: "b", data: ["delta": 1]),
                EventText("3", "stockAdjusted", key: "a", data: ["delta": "many"]), EventText("4", "stockAdjusted", key: "a", data: ["delta": 10]),
            ]
            #expect(try await installation.millrace("push", "product", input: events.map { $0.json + "\n" }.joined()).code == 0)
            // One is parked.
            #expect(try await installation.millrace("drain", "--once").code == 1)
            let (service, http) = try await installation.startAPI("serve")
            try await body(installation, http)
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }

    @Test func `a document's history is what each of its events made of it`() async throws {
        try await Self.serving { installation, http in
            let answer = try await http.get("/v1/product/a/history")
            #expect(answer.code == 200, "\(answer.text)")
            let events = try #require(try answer.document["events"]?.asArray).compactMap(\.asDocument)
            #expect(events.map { $0["eventId"] } == ["1", "3", "4"])
            #expect(events.map { $0["outcome"] } == ["applied", "parked", "applied"])
            #expect(events.map { $0["problem"] } == [nil, "bad-operand", nil])
            #expect(events.map { $0["document"]?.asDocument?["stock"] } == [1, 1, 11])
            #expect(events.allSatisfy { $0["eventType"] == "stockAdjusted" && $0["loggedAt"]?.asString != nil })
            #expect(events.allSatisfy { $0["document"]?.asDocument?["_position"] == nil })
            #expect(try answer.document["next"] == .null)

            let first = try await http.get("/v1/product/a/history?limit=2&fields=none").document
            #expect(first["events"]?.asArray?.map { $0.asDocument?["document"] } == [["_id": "a"], ["_id": "a"]])
            let next = try #require(first["next"]?.asString)
            let rest = try await http.get("/v1/product/a/history?after=\(next)").document
            #expect(rest["events"]?.asArray?.count == 1 && rest["next"] == .null)

            let positions = events.compactMap { $0["position"]?.asString }
            #expect(try await http.get("/v1/product/a?at=\(positions[0])&fields=stock").text == #"{"_id":"a","stock":1}"#)
            #expect(try await http.get("/v1/product/a?at=\(positions[2])").text.contains("\"stock\":11"))
            let logged = try #require(events[2]["loggedAt"]?.asString)
            #expect(try await http.get("/v1/product/a?at=\(logged)&fields=stock").text == #"{"_id":"a","stock":11}"#)
            #expect(try await http.get("/v1/product/a?at=2020-01-01T00:00:00Z").document["code"] == "no-such-document")

            for (path, code, part) in [
                ("/v1/product/none/history", 404, "no event of"), ("/v1/product/a/history?limit=0", 400, "limit is"),
                ("/v1/product/a/history?after=x", 400, "after is not"), ("/v1/product/a/history?at=x", 400, "is no parameter"),
                ("/v1/product/a?at=yesterday", 400, "neither a time nor a position"), ("/v1/product/a?at=2999-01-01T00:00:00Z", 400, "still to come"),
                ("/v1/product/b?at=\(positions[0].replacing("@0", with: "@99"))", 400, "behind the log's end"),
                ("/v1/none/a/history", 404, "no such model"), ("/v1/product/a/history/more", 404, "nothing at this path"),
            ] {
                let answer = try await http.get(path)
                #expect(answer.code == code && answer.text.contains(part), "\(path): \(answer.text)")
            }
        }
    }

    @Test func `what there is to read is told to programs and to people`() async throws {
        try await Self.serving { installation, http in
            let schema = try await http.get("/v1/product/schema")
            let properties = try #require(try schema.document["properties"]?.asDocument)
            #expect(properties["stock"]?.asDocument?["type"] == ["number", "string"] && properties["tags"]?.asDocument?["type"] == "array")
            #expect(properties["_id"] != nil && properties["secret"] == nil)

            let api = try await http.get("/openapi.json")
            #expect(api.code == 200 && api.headers["content-type"] == "application/json")
            let document = try api.document
            #expect(document["openapi"] == "3.1.0")
            #expect(document["components"]?.asDocument?["schemas"]?.asDocument?["product"]?.asDocument?["properties"] == .document(properties))
            let page = try await http.get("/docs")
            #expect(page.code == 200 && page.headers["content-type"] == "text/html; charset=utf-8" && page.text.contains("/v1/product/{id}/history"))
            #expect(!page.text.contains("<script"))

            // A token's holder is told of what he may read.
            let made = try await installation.json("token", "create", "t", "--model", "product", "--fields", "tags")
            let header = "Authorization: Bearer \(made["token"]?.asString ?? "")"
            _ = try await eventually("it is known") { try await http.get("/v1", header).code == 200 ? true : nil }
            #expect(try await http.get("/openapi.json").code == 401)
            #expect(try await http.get("/v1/product/schema", header).document["properties"]?.asDocument?["stock"] == nil)
        }
    }

    /// By schemathesis, which `scripts/test --long` installs.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["MILLRACE_LONG"] == "1"))
    func `a generator of requests finds no error of the server, and no answer that the OpenAPI document does not allow`() async throws {
        try await Self.serving { installation, http in
            let seed = try #require(Seed.ofThisRun.first)
            let command = ["-c", "from schemathesis.cli import schemathesis; schemathesis()", "run", "\(http.url)/openapi.json", "--max-examples", "200"]
            // What a question needs of its index is more than a schema says, and 414 is a refusal that the generator does not know.
            let options = ["--seed", "\(seed.value % (1 << 31))", "--exclude-checks", "positive_data_acceptance,negative_data_rejection"]
            let found = try await Child(
                "/usr/bin/env", ["python3"] + command + options, environment: ["PYTHONPATH": "\(Installation.root)/.local/python-api"],
                directory: installation.directory.path, files: FileManager.default.temporaryDirectory
            ).ended(within: .seconds(600))
            #expect(found.code == 0, "\(found.output.suffix(4000)) \(found.errors.suffix(2000))")
        }
    }

    @Test func `a cache answers what it has, and an event is seen at once`() async throws {
        let files = ["config/models/product.yaml": Installation.model + "cache: { fields: [ stock ], maxAge: 1h, maxBytes: 1MB }\n"]
        try await Installation.run(files) { installation in
            try await installation.drain((0..<50).map { EventText("\($0)", "stockAdjusted", key: .string("k\($0)"), data: ["delta": 1]) })
            let (service, http) = try await installation.startAPI("serve", ["MILLRACE_HEALTH_LISTEN": "127.0.0.1:0"])
            let port = try await eventually("it says where") {
                service.errors.firstMatch(of: /at=http:\/\/127[.]0[.]0[.]1:([1-9][0-9]*) \[.*\] health and metrics/).map { $0.output.1 }
            }
            let health = HTTP(url: "http://127.0.0.1:\(port)")
            #expect(try await health.get("/readyz?verbose").text == "[+]reads ok\n")
            func hits() async throws -> Int {
                let text = try await health.get("/metrics").text
                return text.firstMatch(of: /millrace_cache_lookups_total\{model="product",result="hit"\} ([0-9]+)/).flatMap { Int($0.output.1) } ?? 0
            }
            _ = try await eventually("it answers from memory") {
                #expect(try await http.get("/v1/product/k1?fields=stock").text == #"{"_id":"k1","stock":1}"#)
                return try await hits() > 0 ? true : nil
            }
            // Others change all the time, and it stays; its own change is seen.
            for round in 0..<3 {
                let before = try await hits()
                try await installation.drain([EventText("other-\(round)", "stockAdjusted", key: "k2", data: ["delta": 1])])
                _ = try await eventually("it still answers") {
                    #expect(try await http.get("/v1/product/k1?fields=stock").text == #"{"_id":"k1","stock":1}"#)
                    return try await hits() > before ? true : nil
                }
            }
            try await installation.drain([EventText("own", "stockAdjusted", key: "k1", data: ["delta": 5])])
            _ = try await eventually(within: .seconds(10), "the change is seen") {
                try await http.get("/v1/product/k1?fields=stock").text == #"{"_id":"k1","stock":6}"# ? true : nil
            }
            let text = try await health.get("/metrics").text
            let labels = #"{http_route="/v1/{model}/{id}",http_request_method="GET",http_response_status_code="200"}"#
            #expect(text.contains("http_server_request_duration_seconds_count\(labels)"))
            #expect(text.contains("millrace_breaker_open{at=\"secondaries\"} 0"))
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }
}
