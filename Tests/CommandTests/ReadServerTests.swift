import EventFixtures
import Foundation
import Testing
import Values

/// What the read API's server does with connections, whoever is at the other end.
@Suite struct ReadServerTests {
    private static func serving(_ settings: String = "", _ body: (Installation, HTTP) async throws -> Void) async throws {
        try await Installation.run { installation in
            let stream = "streams: { product: { list: \"\(installation.name):{product}\" } }\n"
            try installation.write("config/millrace.yaml", "version: 1\n\(settings)\(stream)")
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 1])])
            let (service, http) = try await installation.startAPI("serve")
            try await body(installation, http)
            service.send(15)
            let ended = try await service.ended()
            #expect(ended.code == 0 && !ended.errors.contains(" error "), "\(ended.errors)")
        }
    }

    private static func client(_ http: HTTP, _ arguments: String..., input: String = "") async throws -> String {
        try await client(http.url.split(separator: ":").last.map(String.init) ?? "", arguments, input)
    }

    private static func client(_ port: String, _ arguments: [String], _ input: String = "") async throws -> String {
        let all = ["python3", "\(Installation.root)/Tests/http/client.py", port] + arguments
        let ended = try await Child("/usr/bin/env", all, environment: [:], directory: "/", input: input, files: FileManager.default.temporaryDirectory).ended()
        guard ended.code == 0 else { throw Failure("\(arguments): \(ended.errors)") }
        return ended.output
    }

    private static let post = "POST /v1/product:batchGet HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    private static let get = "GET /v1/product/a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    private static let refused = "DELETE /v1/product/a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    private static let body = "{\"ids\":[\"a\"]}"
    /// What somebody wants to be taken for a request of its own.
    private static let hidden = "GET /v1/product/hidden HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

    /// What two servers could take apart differently: refused, and nothing behind it is read.
    private static let ambiguous = [
        post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", post + "Transfer-Encoding: chunked\r\nContent-Length: 500\r\n\r\n0\r\n\r\n",
        post + "Content-Length: 13\r\nContent-Length: 0\r\n\r\n" + body, post + "Content-Length: 13\r\nContent-Length: 13\r\n\r\n" + body,
        post + "Content-Length: 13, 0\r\n\r\n" + body, post + "Content-Length: +13\r\n\r\n" + body, post + "Content-Length: -13\r\n\r\n" + body,
        post + "Content-Length: 99999999999999999999999\r\n\r\n" + body, post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", post + "Content-Length : 13\r\n\r\n" + body,
        post + "X: a\r\n b\r\nContent-Length: 13\r\n\r\n" + body, "GET /v1/product/a HTTP/1.1\nHost: 127.0.0.1\n\n", get + "X: a\rY: b\r\n\r\n",
        get + "X: a\0b\r\n\r\n", post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + body + "\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\n-d\r\n" + body + "\r\n0\r\n\r\n", "GET /v1/product/a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0",
    ]

    /// What can be taken apart in one way: the codes of its answers.
    private static let plain: [(text: String, codes: [String])] = [
        (post + "Transfer-Encoding: chunked\r\n\r\nd;x=y\r\n" + body + "\r\n0\r\n\r\n" + hidden, ["200", "404"]),
        // The body of a request that needs none is no request.
        (get + "Content-Length: \(hidden.utf8.count)\r\n\r\n" + hidden, ["200"]), ("GET /v1/product/a HTTP/1.1\r\n\r\n", ["400"]),
        (get + "Host: elsewhere\r\n\r\n", ["400"]), (get + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", ["200"]),
        ("OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", ["404"]), ("CONNECT elsewhere:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", ["404"]),
        (get + "\r\n" + get + "\r\n" + hidden, ["200", "200", "404"]),
        // Refused by their heads: alone, behind a body that looks like a request, and behind others.
        (refused + "\r\n" + get + "\r\n" + refused + "Content-Length: \(hidden.utf8.count)\r\n\r\n" + hidden + refused + "\r\n", ["405", "200", "405", "405"]),
        (refused + "Transfer-Encoding: chunked\r\n\r\nd\r\n" + body + "\r\n0\r\n\r\n" + get + "\r\n", ["405", "200"]),
        // What is none comes behind the answers of what was one.
        (get + "\r\n" + post + "Content-Length: 13\r\n\r\n" + body + get + "\r\n" + "BAD\r\n\r\n", ["200", "200", "200", "400"]),
        (get + "\r\nBAD\r\n\r\n", ["200", "400"]),
    ]

    @Test func `no request is smuggled in behind another`() async throws {
        try await Self.serving { _, http in
            func codes(_ text: String, _ how: String = "send") async throws -> (codes: [String], isClosed: Bool) {
                let answer = try await Self.client(http, how, input: text)
                return (answer.matches(of: /HTTP\/1[.]1 ([0-9]+)/).map { String($0.output.1) }, answer.hasSuffix("\nclosed"))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for text in Self.ambiguous {
                    group.addTask {
                        let (codes, isClosed) = try await codes(text + Self.hidden)
                        #expect(codes == ["400"] && isClosed, "\(text)")
                    }
                }
                for (text, expected) in Self.plain {
                    for how in ["send", "last"] {
                        group.addTask {
                            let (found, isClosed) = try await codes(text, how)
                            #expect(found == expected && (isClosed || how == "send"), "\(how): \(text)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a client that sends a byte a second is left`() async throws {
        try await Self.serving { _, http in
            async let head = Self.client(http, "slowly", "1", input: Self.get + String(repeating: "X: \(String(repeating: "x", count: 90))\r\n", count: 10))
            async let body = Self.client(http, "slowly", "0.2", input: Self.post + "Content-Length: 4000\r\n\r\n" + String(repeating: " ", count: 4000))
            let seconds = try await [head, body].compactMap { Double($0.trimmingSuffix("\n")) }
            // 30 s for a head; 10 s for a body behind a head of 75 bytes.
            #expect(seconds.count == 2 && seconds[0] > 25 && seconds[0] < 60 && seconds[1] > 20 && seconds[1] < 60, "\(seconds)")
        }
    }

    @Test func `clients that go before they are answered take nobody with them`() async throws {
        try await Self.serving { _, http in
            for text in [Self.get, Self.refused, Self.get + "Connection: close\r\n", Self.refused + "Connection: close\r\n"] {
                _ = try await Self.client(http, "leave", "100", input: String(repeating: text + "\r\n", count: 10))
            }
            #expect(try await Self.client(http, "send", input: Self.get + "\r\n").contains("200 OK"))
        }
    }

    @Test func `what its clients wake interrupts nobody`() async throws {
        try await Installation.run { installation in
            let (service, _) = try await installation.startAPI("run")
            _ = try await eventually("its event loops are scheduled as batch processes are") {
                // The 41st field is the policy, which sched.h numbers.
                let policies = try service.threads(named: "NIO-").map { $0[38] }
                return !policies.isEmpty && policies.allSatisfy { $0 == "3" } ? true : nil
            }
        }
    }

    @Test func `whoever waits for the first worker stops when told`() async throws {
        try await Installation.run { installation in
            let service = try installation.start(["serve"], environment: ["MILLRACE_API_LISTEN": "127.0.0.1:0"])
            _ = try await eventually("it waits") { service.errors.contains("waiting for one") ? true : nil }
            service.send(15)
            let ended = try await service.ended()
            // Nor by its own patience, which would say so.
            #expect(ended.code == 0 && !ended.errors.contains("stopped"), "\(ended.errors)")
        }
    }

    @Test func `more connections than are allowed wait for one that goes`() async throws {
        try await Self.serving("api: { connections: 50 }\n") { _, http in
            // The server takes a few at a time, and looks at the limit then.
            let lines = try await Self.client(http, "hold", "80").split(separator: "\n")
            #expect(lines == ["nothing", "80", "HTTP/1.1 200 OK"])
        }
    }

    /// The system's limit for a process; those of its children are the same.
    private static var mostFiles: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_max)
    }

    @Test(.enabled(if: mostFiles > 11_000, "the system allows a process fewer files"))
    func `10,000 clients are served at once`() async throws {
        try await Self.serving("api: { connections: 10500 }\n") { _, http in
            let lines = try await Self.client(http, "hold", "10000").split(separator: "\n")
            // The last has been answered before the others ask.
            #expect(lines == ["HTTP/1.1 200 OK", "10000", "nothing"])
        }
    }

    @Test func `with a certificate it speaks TLS, and HTTP/2 to those who know it`() async throws {
        try await Self.serving { installation, _ in
            let files = installation.directory
            let made = try await Child(
                "/usr/bin/env",
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
                    + ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                environment: [:], directory: files.path, files: FileManager.default.temporaryDirectory
            ).ended()
            try #require(made.code == 0, "\(made.errors)")
            let stream = "streams: { product: { list: \"\(installation.name):{product}\" } }\n"
            func configure(_ certificate: String, _ key: String) throws {
                try installation.write("config/millrace.yaml", "version: 1\napi: { tls: { certificate: \(certificate), key: \(key) } }\n\(stream)")
            }
            for (certificate, key, part) in [
                ("none.pem", "key.pem", "certificate: none.pem cannot be read as PEM"), ("cert.pem", "cert.pem", "key: cert.pem cannot be read as PEM"),
            ] {
                try configure(certificate, key)
                let ended = try await installation.millrace("serve", environment: ["MILLRACE_API_LISTEN": "127.0.0.1:0"])
                #expect(ended.code == 78 && ended.errors.contains(part), "\(ended.errors)")
            }
            try configure("cert.pem", "key.pem")
            let service = try installation.start(["serve"], environment: ["MILLRACE_API_LISTEN": "127.0.0.1:0"])
            let port = try await eventually("it says where") {
                service.errors.firstMatch(of: /at=https:\/\/127[.]0[.]0[.]1:([1-9][0-9]*) \[.*\] read API/).map { String($0.output.1) }
            }
            func curl(_ arguments: String...) async throws -> String {
                let all = ["curl", "-sS", "--cacert", "cert.pem"] + arguments + ["https://localhost:\(port)/v1/product/a"]
                return try await Child("/usr/bin/env", all, environment: [:], directory: files.path, files: FileManager.default.temporaryDirectory).ended()
                    .output
            }
            let text = try await eventually("it serves") {
                let text = try await curl("-w", " %{http_version}")
                return text.hasPrefix("{\"_id\"") ? text : nil
            }
            #expect(text == #"{"_id":"a","stock":1} 2"#)
            #expect(try await curl("--http1.1", "-w", " %{http_version}") == #"{"_id":"a","stock":1} 1.1"#)
            for version in ["--http1.1", "--http2"] {
                let refused = try await curl(version, "-X", "DELETE", "-w", " %{http_code}", "https://localhost:\(port)/v1/product/b")
                #expect(refused.matches(of: /"code":"bad-method"[^}]*} 405/).count == 2, "\(version): \(refused)")
            }
            #expect(try await curl("--tlsv1.1", "--tls-max", "1.1") == "")
            _ = try await Self.client(port, ["leave2", "20"])
            #expect(try await curl() == #"{"_id":"a","stock":1}"#)
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }
}
