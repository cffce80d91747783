import ArgumentParser
import Sandbox

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "A private Redis and a three-member MongoDB replica set on loopback.", subcommands: []
    )
}
