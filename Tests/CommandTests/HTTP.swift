import Foundation
import Values

/// One request, as curl sends it.
struct HTTP {
    var url: String

    struct Answer {
        var code: Int
        /// Names in lower case.
        var headers: [String: String]
        var text: String

        var document: Document {
            get throws {
                let tape = JSONTape(parsing: Array(text.utf8), offsets: [0], lengths: [UInt32(text.utf8.count)])
                guard case .document(let document) = try withExtendedLifetime(tape, { try tape.root(0).get().value }) else {
                    throw Failure("no object: \(text)")
                }
                return document
            }
        }
    }

    func get(_ path: String, _ headers: String...) async throws -> Answer { try await send([], path, headers) }

    /// A body of any size.
    func post(_ body: String, _ path: String) async throws -> Answer { try await send(["--data-binary", "@-"], path, input: body) }

    func send(_ arguments: [String], _ path: String, _ headers: [String] = [], input: String = "") async throws -> Answer {
        let all = ["-s", "-i", "-m", "40", "--path-as-is", "-g"] + headers.flatMap { ["-H", $0] } + arguments + [url + path]
        let ended = try await Child("curl", all, environment: [:], directory: "/", input: input, files: FileManager.default.temporaryDirectory).ended()
        guard ended.code == 0 else { throw Failure("curl \(path): exit code \(ended.code): \(ended.errors)") }
        var lines = ended.output.components(separatedBy: "\r\n")[...]
        // What comes before the answer itself says that the body may be sent.
        while lines.first?.hasPrefix("HTTP/1.1 1") ?? false { lines = lines.drop { !$0.isEmpty }.dropFirst() }
        guard let status = lines.popFirst(), let code = Int(status.split(separator: " ").dropFirst().first ?? "") else {
            throw Failure("no answer: \(ended.output)")
        }
        var fields: [String: String] = [:]
        while let line = lines.popFirst(), !line.isEmpty {
            let pair = line.split(separator: ":", maxSplits: 1)
            fields[pair[0].lowercased()] = pair.count > 1 ? pair[1].trimmingCharacters(in: .whitespaces) : ""
        }
        return Answer(code: code, headers: fields, text: lines.joined(separator: "\r\n"))
    }
}

extension Installation {
    /// Starts a service with its read API at a port of its own.
    func startAPI(_ command: String = "run", _ environment: [String: String] = [:]) async throws -> (service: Child, http: HTTP) {
        let service = try start([command], environment: ["MILLRACE_API_LISTEN": "127.0.0.1:0"].merging(environment) { $1 })
        let port = try await eventually("it says where: \(service.errors)") {
            service.errors.firstMatch(of: /read API.*|at=http:\/\/127[.]0[.]0[.]1:([1-9][0-9]*) \[.*\] read API/).flatMap { $0.output.1 }
        }
        let http = HTTP(url: "http://127.0.0.1:\(port)")
        // With an issuer, whoever has no token is told so from the beginning.
        _ = try await eventually(within: .seconds(30), "it serves") { [200, 401].contains(try await http.get("/v1").code) ? true : nil }
        return (service, http)
    }
}
