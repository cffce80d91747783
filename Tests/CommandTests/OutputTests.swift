import EventFixtures
import Testing
import Values

/// Whoever reads the results may stop, and the disk may be full: the command ends, and does not crash.
@Suite(.serialized) struct OutputTests {
    /// Runs a line of shell in which `$millrace` is the command, and returns how it ended.
    private func shell(_ line: String, _ installation: Installation) async throws -> Child.Ended {
        try await installation.start(program: "bash", ["-c", "set -o pipefail; millrace=\(Installation.program); \(line)"]).ended()
    }

    /// Foundation's own way of writing once ended the command with a crash report in the middle of the results.
    @Test func `a reader that has enough ends the command without a word`() async throws {
        try await Installation.run { installation in
            // Far more than a pipe holds.
            try await installation.drain((0..<3000).map { EventText("\($0)", "stockAdjusted", key: "a", data: ["delta": 1]) })
            for options in ["", "--json"] {
                let ended = try await shell("$millrace events product \(options) | head -n 1", installation)
                #expect(ended.code == 141)
                #expect(ended.output.split(separator: "\n").count == 1 && ended.errors == "", "\(ended.errors)")
            }
            // What was to be done is done all the same.
            _ = try await installation.millrace("push", "product", input: EventText("last", "stockAdjusted", key: "a", data: ["delta": 1]).json)
            let drained = try await shell("$millrace drain --once | true", installation)
            #expect(drained.errors == "")
            #expect(try await installation.documents("product").first?["stock"] == 3001)
        }
    }

    @Test func `results that cannot be written are said to be lost`() async throws {
        try await Installation.run { installation in
            for command in ["check", "check --json", "status", "events product --json", "drain --once"] {
                _ = try await installation.millrace("push", "product", input: "no event")
                _ = try await installation.millrace("drain", "--once")
                let ended = try await shell("$millrace \(command) > /dev/full", installation)
                #expect(ended.code == 74, "\(command)")
                #expect(ended.errors == "millrace: the results cannot be written: No space left on device\n", "\(command): \(ended.errors)")
            }
        }
    }

    @Test func `streams that are closed are taken as unwanted`() async throws {
        try await Installation.run { installation in
            for (line, code) in [
                ("$millrace check >&-", Int32(0)), ("$millrace get product nobody <&- >&- 2>&-", 1), ("$millrace events prodct 2> /dev/full", 64),
            ] {
                let ended = try await shell(line, installation)
                #expect(ended.code == code, "\(line)")
            }
            #expect(try await installation.documents("millrace.meta").isEmpty, "nothing was made")
        }
    }
}
