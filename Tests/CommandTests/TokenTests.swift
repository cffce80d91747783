import EventFixtures
import Foundation
import JWTKit
import Testing
import Values

/// Who may read over HTTP, and how often.
@Suite struct TokenTests {
    private static func serving(_ api: String = "", _ body: (Installation, HTTP) async throws -> Void) async throws {
        let other = Installation.model.replacing("model: product", with: "model: other")
        let model = Installation.model.replacing("{ measured: $data, at: $occurredAt, version: $schemaVersion }", with: "{ measured: $data }")
        try await Installation.run(["config/models/product.yaml": model + "indexes: [ { name: 1 }, { stock: 1 } ]\n", "config/models/other.yaml": other]) {
            installation in
            let settings = try String(contentsOf: installation.directory.appending(path: "config/millrace.yaml"), encoding: .utf8)
            try installation.write("config/millrace.yaml", settings + api)
            try await installation.drain([
                EventText("1", "stockAdjusted", key: "a", data: ["delta": 1]), EventText("2", "productRenamed", key: "a", data: ["name": "A"]),
            ])
            let (service, http) = try await installation.startAPI("serve")
            try await body(installation, http)
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }

    private static func make(_ installation: Installation, _ arguments: String...) async throws -> (id: String, header: String) {
        let ended = try await installation.start(["token", "create", "test", "--json"] + arguments).ended()
        let made = try #require(try ended.documents().first, "\(ended.errors)")
        return (try #require(made["id"]?.asString), "Authorization: Bearer \(try #require(made["token"]?.asString))")
    }

    @Test func `with one token, nobody reads without any, and a revoked one ends within five seconds`() async throws {
        try await Self.serving { installation, http in
            #expect(try await http.get("/v1/product/a").code == 200)
            // Whoever comes through a proxy may be anybody.
            #expect(try await http.get("/v1/product/a", "X-Forwarded-For: 10.0.0.1").code == 401)
            #expect(try await http.get("/v1/product/a", "X-Real-IP: 10.0.0.1").code == 401)
            // A page of somebody else's, whose name leads here.
            #expect(try await http.get("/v1/product/a", "Host: evil.example").code == 401)
            #expect(try await http.get("/v1/product/a", "Host: localhost:8080").code == 200)
            let (id, header) = try await Self.make(installation)
            let refused = try await eventually("a token is asked for") {
                let answer = try await http.get("/v1/product/a")
                return answer.code == 401 ? answer : nil
            }
            #expect(refused.headers["www-authenticate"] == "Bearer")
            #expect(try refused.document["code"] == "unauthorized")
            #expect(try await http.get("/v1/product/a", header).code == 200)
            let bad = [
                "Authorization: Bearer x", "Authorization: Bearer", "Authorization:  ", "Authorization: Basic YTpi",
                "Authorization: " + String(header.dropFirst(22)),
                header.dropLast() + "x", header + "x", "Authorization: Bearer mr_00000000000000000000000000000000_000000",
            ]
            for header in bad { #expect(try await http.get("/v1/product/a", String(header)).code == 401, "\(header)") }
            #expect(try await http.get("/v1/product/a?token=x", header).code == 400)

            let listed = try await installation.millrace("token", "list")
            #expect(listed.output.contains(id) && listed.output.contains("valid"))
            let stored = try #require(try await installation.documents("millrace.tokens").first)
            let secret = String(header.dropFirst(22))
            #expect(!listed.output.contains(secret) && !JSON.write(.document(stored)).contains(secret))

            #expect(try await installation.millrace("token", "revoke", id).code == 0)
            let began = ContinuousClock.now
            _ = try await eventually("it is refused") { try await http.get("/v1/product/a", header).code == 401 ? true : nil }
            #expect(.now - began < .seconds(5))
            // The last one that was revoked opens nothing.
            #expect(try await http.get("/v1/product/a").code == 401)
            #expect(try await installation.json("token", "list")["tokens"]?.asArray?.first?.asDocument?["state"] == "revoked")
            #expect(try await installation.millrace("token", "revoke", "00000000").code == 64)
        }
    }

    private struct Claims: JWTPayload {
        var iss = "https://id.example.com/"
        var aud = "millrace"
        var exp = Date().timeIntervalSince1970 + 600
        var millrace = ["fields": ["name"]]

        func verify(using algorithm: some JWTAlgorithm) throws {}

        func signed(by key: ES256PrivateKey) async throws -> String {
            let signers = JWTKeyCollection()
            await signers.add(ecdsa: key, kid: "a")
            return try await signers.sign(self, kid: "a")
        }
    }

    /// A web server of the files of a directory, and the URL of its root.
    private static func web(of directory: URL) async throws -> (server: Child, url: String) {
        let arguments = ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", directory.path]
        let server = try Child("python3", arguments, environment: [:], directory: "/", files: FileManager.default.temporaryDirectory)
        let url = try await eventually("it says where: \(server.errors)") {
            server.output.firstMatch(of: /http:\/\/127[.]0[.]0[.]1:[0-9]+/).map { String($0.output) }
        }
        return (server, url)
    }

    @Test(arguments: [false, true]) func `what an issuer has signed is a token`(isServed: Bool) async throws {
        let (key, other) = (ES256PrivateKey(), ES256PrivateKey())
        let point = try #require(key.publicKey.parameters)
        // As base64url has it.
        func part(_ text: String) -> String { text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") }
        let set = #"{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"a","x":"\#(part(point.x))","y":"\#(part(point.y))"}]}"#
        let directory = FileManager.default.temporaryDirectory.appending(path: "millrace-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let file = directory.appending(path: "keys.json")
        try Data(set.utf8).write(to: file)
        let web = isServed ? try await Self.web(of: directory) : nil
        defer { withExtendedLifetime(web) {} }
        let keys = web.map { "\($0.url)/keys.json" } ?? file.path
        try await Self.serving("api: { issuer: { url: https://id.example.com/, audience: millrace, keys: '\(keys)' } }\n") { _, http in
            let header = "Authorization: Bearer \(try await Claims().signed(by: key))"
            #expect(try await http.get("/v1/product/a", header).text == #"{"_id":"a","name":"A"}"#)
            #expect(try await http.get("/v1/product/a").code == 401)
            #expect(try await http.get("/v1/product/a", "Authorization: Bearer \(try await Claims(aud: "other").signed(by: key))").code == 401)
            #expect(try await http.get("/v1/product/a", "Authorization: Bearer \(try await Claims().signed(by: other))").code == 401)
        }
    }

    @Test func `a token reads what it is for`() async throws {
        try await Self.serving { installation, http in
            let (_, header) = try await Self.make(installation, "--model", "product", "--fields", "name", "--consistency", "causal")
            let (_, brief) = try await Self.make(installation, "--expires", "20s")
            _ = try await eventually("it is known") { try await http.get("/v1", brief).code == 200 ? true : nil }
            #expect(try await http.get("/v1/product/a", header).text == #"{"_id":"a","name":"A"}"#)
            #expect(try await http.get("/v1/product/a?fields=stock,name", header).text == #"{"_id":"a","name":"A"}"#)
            #expect(try await http.get("/v1/product?name=eq.A", header).text == #"{"documents":[{"_id":"a","name":"A"}],"next":null}"#)
            #expect(try await http.get("/v1/product?stock=eq.1", header).document["code"] == "no-index")
            // What may not be read is not there.
            let (hidden, none) = (try await http.get("/v1/other/a", header), try await http.get("/v1/none/a", header))
            #expect(hidden.code == 404 && none.code == 404)
            #expect(try hidden.document["detail"] == none.document["detail"])
            #expect(try await http.get("/v1", header).document["models"]?.asArray?.count == 1)
            #expect(try await http.get("/v1", brief).document["models"]?.asArray?.count == 2)
            #expect(try await http.get("/v1/product/a", header, "Prefer: consistency=causal").code == 200)
            let strong = try await http.get("/v1/product/a", header, "Prefer: consistency=strong")
            #expect(strong.code == 403)
            #expect(try strong.document["code"] == "forbidden")
            // Tags of answers to others are other tags.
            #expect(try await http.get("/v1/product/a", header).headers["etag"] != http.get("/v1/product/a", brief).headers["etag"])
            _ = try await eventually("it has expired") { try await http.get("/v1", brief).code == 401 ? true : nil }
        }
    }

    @Test func `whoever asks too often is told when to come again`() async throws {
        try await Self.serving { installation, http in
            let (_, header) = try await Self.make(installation, "--rate", "5")
            let (_, other) = try await Self.make(installation)
            _ = try await eventually("it is known") { try await http.get("/v1", other).code == 200 ? true : nil }
            // As many as five seconds' at once, and more than a second's: some are refused.
            let answers = try await withThrowingTaskGroup(of: HTTP.Answer.self) { group in
                for _ in 0..<25 { group.addTask { try await http.get("/v1/product/a", header) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let refused = answers.filter { $0.code == 429 }
            #expect(answers.count { $0.code == 200 } >= 5)
            let one = try #require(refused.first)
            #expect(one.headers["retry-after"] == "1")
            #expect(one.headers["ratelimit-policy"] == "\"default\";q=5;w=1")
            #expect(one.headers["ratelimit"]?.hasPrefix("\"default\";r=") == true)
            #expect(try one.document["code"] == "rate-limited")
            // Each id is a read, and more than a second's are let in when a whole second's are there.
            _ = try await eventually("a batch of more than a second's is let in") {
                let answer = try await http.send(["-H", header, "-d", #"{"ids":["a","b","c","d","e","f","g"]}"#], "/v1/product:batchGet")
                return answer.code == 200 ? true : nil
            }
            _ = try await eventually("a batch of more than a second's is refused") {
                let answer = try await http.send(["-H", header, "-d", #"{"ids":["a","b","c","d","e"]}"#], "/v1/product:batchGet")
                return answer.code == 429 ? true : nil
            }
            #expect(try await http.get("/v1/product/a", other).code == 200)
        }
    }

    @Test func `the service has a limit of its own`() async throws {
        try await Self.serving("api: { rate: 5 }\n") { _, http in
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<25 { group.addTask { try await http.get("/v1/product/a").code } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.contains(200) && answers.contains(429))
        }
    }

    @Test(arguments: [["--rate", "0"], ["--expires", "soon"], ["--consistency", "most"], ["--fields", "a,,b"], ["--model", "nothing"]])
    func `a token that cannot be is refused`(arguments: [String]) async throws {
        try await Installation.run { installation in
            let refused = try await installation.start(["token", "create", "test"] + arguments).ended()
            #expect(refused.code == 64)
            let tokens = try await installation.documents("millrace.tokens")
            #expect(tokens.isEmpty)
        }
    }
}
