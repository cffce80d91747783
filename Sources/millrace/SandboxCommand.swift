import ArgumentParser
import Events
import Foundation
import Sandbox
import Values

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "A private Redis and a three-member MongoDB replica set on loopback.",
        discussion: "eval \"$(millrace sandbox up)\" starts it and points every other command at it.",
        subcommands: [Up.self, Down.self, Status.self]
    )

    struct Location: ParsableArguments {
        @Option(name: .customLong("dir"), help: "Where the servers keep their files.")
        var directory = Sandbox.defaultDirectory

        @Flag(help: "Print one JSON document.")
        var json = false

        var sandbox: Sandbox { Sandbox(directory: directory) }
    }

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "up", abstract: "Starts it, or what of it is not running, and prints its URLs.")

        @OptionGroup var location: Location

        @Option(help: "Redis's appendfsync: everysec or always.")
        var appendfsync: Sandbox.Options.Appendfsync = .everysec

        @Option(help: "How long the replica set waits for a silent primary, in milliseconds.")
        var electionTimeout = 10_000

        func run() async throws {
            let endpoints = try await Ending.of {
                try await location.sandbox.up(.init(appendfsync: appendfsync, electionTimeoutMilliseconds: electionTimeout))
            }
            if location.json {
                Output.line(JSON.write(["redis": .string(endpoints.redis), "mongodb": .string(endpoints.mongodb)]))
            } else {
                Output.line("export MILLRACE_REDIS_URL='\(endpoints.redis)'")
                Output.line("export MILLRACE_MONGODB_URL='\(endpoints.mongodb)'")
            }
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "down", abstract: "Stops exactly what up started, and removes its files.")

        @OptionGroup var location: Location

        func run() async throws {
            try await Ending.of { try await location.sandbox.down() }
            if location.json { Output.line(JSON.write(["stopped": true])) }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "status", abstract: "Says what is running. Exits 1 when not all of it is.")

        @OptionGroup var location: Location

        func run() async throws {
            let servers = try await Ending.of { try location.sandbox.status() } ?? []
            if location.json {
                let members = servers.map { server in
                    Document.Field(
                        server.server.rawValue, ["port": .int64(Int64(server.port)), "pid": server.pid.map { .int64(Int64($0)) } ?? .null]
                    )
                }
                Output.line(JSON.write(.document(Document(members))))
            } else if servers.isEmpty {
                Output.line("there is no sandbox in \(location.directory): millrace sandbox up starts one")
            } else {
                Output.table(
                    ["server", "port", "pid"], servers.map { [$0.server.rawValue, String($0.port), $0.pid.map { String($0) } ?? "not running"] }
                )
            }
            if servers.isEmpty || servers.contains(where: { $0.pid == nil }) { throw Ending.notGood }
        }
    }
}

extension Sandbox.Options.Appendfsync: ExpressibleByArgument {}
