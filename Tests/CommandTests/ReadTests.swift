import EventFixtures
import Fixtures
import Foundation
import MongoStore
import Testing
import Values

/// Lookups over HTTP, of `run` and of `serve`.
@Suite struct ReadTests {
    static let model =
        Installation.model.replacing("{ measured: $data, at: $occurredAt, version: $schemaVersion }", with: "{ measured: $data }") + """
            private: [ measured.secret ]
            indexes: [ { stock: -1 }, { name: 1, stock: 1 }, { measured.secret: 1 } ]

            """

    /// Products a to e with stock 1, 2, 1, 2, 1; `a` has a name and was measured.
    private static let events: [EventText] =
        zip("abcde", [1, 2, 1, 2, 1]).map { EventText("s\($0)", "stockAdjusted", key: .string(String($0)), data: ["delta": .int32($1)]) } + [
            EventText("n", "productRenamed", key: "a", data: ["name": "Oat drink"]),
            EventText("m", "productMeasured", key: "a", data: ["size": 5, "secret": 7, "large": .int64(1 << 60)]),
        ]

    private static func serving(_ files: [String: String] = [:], _ body: (Installation, HTTP) async throws -> Void) async throws {
        try await Installation.run(["config/models/product.yaml": model].merging(files) { $1 }) { installation in
            try await installation.drain(events)
            let (service, http) = try await installation.startAPI("serve")
            try await body(installation, http)
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }

    @Test func `a document is what get prints, without what is private`() async throws {
        try await Self.serving { installation, http in
            let answer = try await http.get("/v1/product/a")
            #expect(answer.code == 200)
            #expect(answer.headers["content-type"] == "application/json")
            let printed = try await installation.millrace("get", "product", "a", "--json").output.trimmingSuffix("\n")
            #expect(printed.contains("\"secret\":7,"))
            #expect(answer.text == printed.replacing("\"secret\":7,", with: ""))
            #expect(answer.text.contains("\"large\":\"1152921504606846976\""))
            #expect(answer.headers["millrace-lag"] == "0")
            #expect(answer.headers["millrace-position"]?.hasSuffix("/product/0@7") == true)
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(answer.headers["server"] == nil)

            let head = try await http.send(["-I"], "/v1/product/a")
            #expect(head.code == 200 && head.text.isEmpty)
            #expect(head.headers["content-length"] == "\(answer.text.utf8.count)")
            #expect(
                try await http.get("/v1/product/a?fields=name,measured.size,measured.secret").text == #"{"_id":"a","name":"Oat drink","measured":{"size":5}}"#)
            #expect(try await http.get("/v1/product/a?fields=none").text == #"{"_id":"a"}"#)
            #expect(try await http.get("/v1/product/a", "X-Request-Id: abc-1").headers["x-request-id"] == "abc-1")
        }
    }

    @Test func `an answer that was given is not sent again`() async throws {
        try await Self.serving { installation, http in
            let tag = try #require(try await http.get("/v1/product/a").headers["etag"])
            let again = try await http.get("/v1/product/a", "If-None-Match: \"x\", \(tag)")
            #expect(again.code == 304 && again.text.isEmpty && again.headers["etag"] == tag)
            #expect(try await http.get("/v1/product/a", "If-None-Match: *").code == 304)
            #expect(try await http.get("/v1/product/a", "If-None-Match: W/\(tag)").code == 304)
            #expect(try await http.get("/v1/product/a?fields=name", "If-None-Match: \(tag)").code == 200)
            #expect(try await http.get("/v1/product/a", "If-None-Match: garbage\"\"").code == 200)
            try await installation.drain([EventText("x", "stockAdjusted", key: "a", data: ["delta": 1])])
            let changed = try await eventually("another event has changed it") {
                let answer = try await http.get("/v1/product/a", "If-None-Match: \(tag)")
                return answer.code == 200 ? answer : nil
            }
            #expect(changed.headers["etag"] != tag)
            // A repair leaves the position as it is, and counts as a change.
            let before = try #require(changed.headers["etag"])
            try await installation.command([
                "update": "product@1", "updates": [["q": ["_id": "b"], "u": ["$set": ["stock": 100]]]], "writeConcern": ["w": "majority"],
            ])
            #expect(try await installation.millrace("reconcile", "--repair").code == 1)
            _ = try await eventually("the repair is seen") { try await http.get("/v1/product/a", "If-None-Match: \(before)").code == 200 ? true : nil }
        }
    }

    @Test func `many at once keep their order`() async throws {
        try await Self.serving { _, http in
            func batch(_ body: String) async throws -> HTTP.Answer { try await http.post(body, "/v1/product:batchGet") }
            let answer = try await batch(#"{"ids":["e","none","a","e"],"fields":["stock"]}"#)
            #expect(answer.code == 200)
            #expect(answer.text == #"{"documents":[{"_id":"e","stock":1},{"_id":"a","stock":1},{"_id":"e","stock":1}],"missing":["none"]}"#)
            let many = (0..<999).map { "\"x\($0)\"" }.joined(separator: ",")
            #expect(try await batch("{\"ids\":[\(many),\"a\"]}").document["missing"]?.asArray?.count == 999)
            #expect(try await batch("{\"ids\":[\(many),\"a\",\"b\"]}").code == 400)
            #expect(try await batch(String(repeating: " ", count: 1 << 20) + "{}").code == 413)
        }
    }

    @Test func `pages follow an index and end where there is no more`() async throws {
        try await Self.serving { _, http in
            func ids(_ query: String) async throws -> [String] {
                var (ids, next): ([String], String?) = ([], "")
                while let after = next {
                    let page = try await http.get("/v1/product?\(query)&limit=2" + (after.isEmpty ? "" : "&after=\(after)"))
                    try #require(page.code == 200, "\(page.text)")
                    let documents = try #require(try page.document["documents"]?.asArray)
                    #expect(documents.count <= 2 && !documents.isEmpty)
                    ids += documents.compactMap { $0.asDocument?["_id"]?.asString }
                    next = try page.document["next"]?.asString
                }
                return ids
            }
            #expect(try await ids("_id=gte.a") == ["a", "b", "c", "d", "e"])
            #expect(try await ids("sort=-_id") == ["e", "d", "c", "b", "a"])
            #expect(try await ids("sort=-stock") == ["b", "d", "a", "c", "e"])
            #expect(try await ids("sort=stock") == ["e", "c", "a", "d", "b"])
            #expect(try await ids("stock=lt.2") == ["a", "c", "e"])
            #expect(try await ids("stock=eq.2&fields=none") == ["b", "d"])
            // Those without a name come first, as null does.
            #expect(try await ids("sort=name,stock") == ["c", "e", "b", "d", "a"])
            #expect(try await ids("name=eq.Oat+drink") == ["a"])
            #expect(try await ids("stock=gte.2&sort=stock") == ["d", "b"].sorted(by: >))
            #expect(try await ids("stock=lte.1&sort=stock") == ["e", "c", "a"])
            #expect(try await http.get("/v1/product?stock=gt.5&limit=2").text == #"{"documents":[],"next":null}"#)
            #expect(try await http.get("/v1/product?stock=gt.5&stock=lt.2").text == #"{"documents":[],"next":null}"#)
            #expect(try await http.get("/v1/product?name=eq.none").text == #"{"documents":[],"next":null}"#)
            let refused = try await http.get("/v1/product?measured.secret=eq.7")
            #expect(refused.code == 400)
            #expect(try refused.document["code"] == "no-index")
            #expect(refused.headers["content-type"] == "application/problem+json")
        }
    }

    @Test func `what readers do not see is not there`() async throws {
        let files = [
            "config/models/product.yaml": "version: 1\nmodel: product\nstream: product\nroot: productRenamed\nfold:\n"
                + "  stockAdjusted: { $inc: { stock: $data.delta } }\n  productRenamed: { $set: { name: $data.name } }\n",
            "config/models/brief.yaml": "version: 1\nmodel: brief\nstream: product\nttl: 1s\nfold:\n  stockAdjusted: { $inc: { stock: $data.delta } }\n",
        ]
        try await Installation.run(files) { installation in
            try await installation.drain([
                EventText("1", "stockAdjusted", key: "a", data: ["delta": 1]), EventText("2", "stockAdjusted", key: "b", data: ["delta": 1]),
                EventText("3", "productRenamed", key: "b", data: ["name": "B"]),
            ])
            try await installation.command(["insert": "product@1", "documents": [["_id": "foreign", "stock": 1]], "writeConcern": ["w": "majority"]])
            let (service, http) = try await installation.startAPI("serve")
            #expect(try await http.get("/v1/product/a").code == 404)
            #expect(try await http.get("/v1/product/b").code == 200)
            #expect(try await http.get("/v1/product/foreign").code == 404)
            #expect(try await http.get("/v1/product").text == #"{"documents":[{"_id":"b","stock":1,"name":"B"}],"next":null}"#)
            // No drain runs that would remove it.
            _ = try await eventually("it has expired") { try await http.get("/v1/brief/a").code == 404 ? true : nil }
            #expect(try await installation.documents("brief@1").count == 2)
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }

    @Test func `a reader of his own write waits for it`() async throws {
        try await Installation.run(["config/models/product.yaml": Self.model]) { installation in
            let (service, http) = try await installation.startAPI()
            for number in 1...20 {
                for consistency in ["causal", "strong"] {
                    let key = "\(consistency)-\(number)"
                    let event = EventText(key, "stockAdjusted", key: .string(key), data: ["delta": .int32(Int32(number))]).json
                    #expect(try await installation.millrace("push", "product", input: event).code == 0)
                    let answer = try await http.get("/v1/product/\(key)", "Prefer: consistency=\(consistency), wait=20")
                    #expect(answer.text == "{\"_id\":\"\(key)\",\"stock\":\(number)}")
                    #expect(answer.headers["preference-applied"] == "consistency=\(consistency), wait=20")
                }
            }
            let page = try await http.get("/v1/product?_id=eq.strong-20", "Prefer: consistency=strong")
            #expect(try page.document["documents"]?.asArray?.count == 1)

            // Nobody moves it any more: that is told at once.
            #expect(try await installation.millrace("jobs", "pause", "drain").code == 0)
            try await eventually("it is paused") {
                try await installation.json("jobs", "show", "drain")["paused"] == true ? () : nil
            }
            #expect(
                try await installation.millrace("push", "product", input: EventText("late", "stockAdjusted", key: "late", data: ["delta": 1]).json).code == 0)
            let began = ContinuousClock.now
            let refused = try await eventually("the drain has stopped") {
                let answer = try await http.get("/v1/product/late", "Prefer: consistency=causal, wait=30")
                return answer.code == 503 ? answer : nil
            }
            #expect(.now - began < .seconds(20))
            #expect(try refused.document["code"] == "not-caught-up")
            #expect(try refused.document["reason"] == "paused")
            #expect(refused.headers["retry-after"] == "1")
            let stale = try await http.get("/v1/product/strong-1?stale=ok", "Prefer: consistency=causal, wait=30")
            #expect(stale.code == 200 && stale.headers["millrace-stale"] == "true" && stale.headers["preference-applied"] == nil)
            #expect(try await http.get("/v1/product/strong-1").code == 200)
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }

    @Test func `without anybody who drains, waiting ends with its time`() async throws {
        try await Installation.run(["jobs/drain.yaml": "version: 1\njob: drain\nenabled: false\n"]) { installation in
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 1])])
            let (service, http) = try await installation.startAPI("serve")
            // What was drained is complete, whoever drained it.
            #expect(try await http.get("/v1/product/a", "Prefer: consistency=strong").code == 200)
            #expect(try await installation.millrace("push", "product", input: EventText("2", "stockAdjusted", key: "a", data: ["delta": 1]).json).code == 0)
            let refused = try await http.get("/v1/product/a", "Prefer: consistency=causal, wait=1")
            #expect(refused.code == 503)
            #expect(try refused.document["reason"] == "late")
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }

    @Test func `a rebuild takes readers over, and none misses a document`() async throws {
        try await Self.serving { installation, http in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for round in 0..<3 {
                        let rebuilt = try await installation.millrace("rebuild", "product", "--keep", "0s")
                        #expect(rebuilt.code == 0, "\(round): \(rebuilt.errors)")
                    }
                }
                group.addTask {
                    let clock = ContinuousClock.now
                    var reads = 0
                    while reads < 100 || .now - clock < .seconds(2) {
                        let (one, batch, page) = try await (
                            http.get("/v1/product/b"), http.send(["-d", #"{"ids":["a","b","c"]}"#], "/v1/product:batchGet"), http.get("/v1/product")
                        )
                        #expect(one.code == 200, "\(one.text)")
                        #expect(try batch.document["missing"] == [])
                        #expect(try page.document["documents"]?.asArray?.count == 5)
                        reads += 1
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await installation.json("status")["models"]?.asDocument?["product"]?.asDocument?["build"] != nil)
            let tag = try await http.get("/v1/product/b").headers["etag"]
            #expect(tag?.hasPrefix("\"4.") == true)
        }
    }

    @Test func `bad requests are told what is wrong`() async throws {
        try await Self.serving { _, http in
            let cases: [(arguments: [String], path: String, code: Int, problem: String)] = [
                ([], "/", 404, "no-such-path"), ([], "/v2/product/a", 404, "no-such-path"), ([], "/v1/product/a/b/c", 404, "no-such-path"),
                ([], "/v1/nothing", 404, "no-such-model"), ([], "/v1/nothing/a", 404, "no-such-model"), ([], "/v1/product/zz", 404, "no-such-document"),
                ([], "/v1/product/../../etc/passwd", 404, "no-such-path"), ([], "/v1/product/%00", 400, "bad-request"),
                ([], "/v1/product/%ff", 400, "bad-request"), ([], "/v1/product/\(String(repeating: "x", count: 600))", 400, "bad-request"),
                ([], "/v1/product/\(String(repeating: "x", count: 5000))", 414, "request-too-large"),
                (["-X", "DELETE"], "/v1/product/a", 405, "bad-method"), (["-X", "PUT", "-d", "x"], "/v1/product/a", 405, "bad-method"),
                (["-d", "{}"], "/v1/product", 405, "bad-method"), ([], "/v1/product:batchGet", 405, "bad-method"),
                ([], "/v1/product/a?where=1", 400, "bad-request"), ([], "/v1/product/a?fields=a&fields=b", 400, "bad-request"),
                ([], "/v1/product/a?filter[$ne]=x", 400, "bad-request"), ([], "/v1/product?filter={\"$where\":\"1\"}", 400, "no-index"),
                ([], "/v1/product?sort=$natural", 400, "no-index"), ([], "/v1/product?stock=$gt.1", 400, "bad-request"),
                ([], "/v1/product?limit=0", 400, "bad-request"), ([], "/v1/product?limit=10&limit=20", 400, "bad-request"),
                ([], "/v1/product?after=abc", 400, "bad-request"), ([], "/v1?x=1", 400, "bad-request"),
                (["-H", "Prefer: consistency=casual"], "/v1/product/a", 400, "bad-request"), (["-d", "{"], "/v1/product:batchGet", 400, "bad-request"),
                (["-d", "[]"], "/v1/product:batchGet?x=1", 400, "bad-request"),
            ]
            for (arguments, path, code, problem) in cases {
                let answer = try await http.send(arguments, path)
                #expect(answer.code == code, "\(arguments) \(path.prefix(100)): \(answer.text)")
                #expect(answer.headers["content-type"] == "application/problem+json", "\(path.prefix(100))")
                let body = try answer.document
                #expect(body["code"] == .string(problem), "\(path.prefix(100))")
                #expect(body["status"]?.asInteger == Int64(code))
                #expect(body["requestId"]?.asString == answer.headers["x-request-id"])
                #expect(body["detail"]?.asString?.isEmpty == false)
            }
            #expect(try await http.send(["-X", "DELETE"], "/v1/product/a").headers["allow"] == "GET, HEAD")
            #expect(try await http.send(["-H", "X-Long: \(String(repeating: "x", count: 20_000))"], "/v1/product/a").code == 400)
            #expect(try await http.get("/v1/product/a").code == 200)
        }
    }

    @Test func `serve waits for an installation, and needs an address of its own`() async throws {
        try await Installation.run { installation in
            let service = try installation.start(["serve"], environment: ["MILLRACE_API_LISTEN": "127.0.0.1:0"])
            _ = try await eventually("it says what it waits for: \(service.errors)") { service.errors.contains("before a worker has started") ? true : nil }
            let port = try #require(service.errors.firstMatch(of: /127[.]0[.]0[.]1:([1-9][0-9]*)/)?.output.1)
            let http = HTTP(url: "http://127.0.0.1:\(port)")
            #expect(try await http.get("/v1").code == 503)
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 1])])
            _ = try await eventually("it serves") { try await http.get("/v1/product/a").code == 200 ? true : nil }

            let second = try await installation.millrace("serve", environment: ["MILLRACE_API_LISTEN": "127.0.0.1:\(port)"])
            #expect(second.code == 78 && second.errors.contains("cannot be served at 127.0.0.1:\(port)"))
            #expect(try await installation.millrace("serve").code == 78)
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }
}
