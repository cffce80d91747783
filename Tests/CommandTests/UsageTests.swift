import Testing
import Values

/// What a person typed wrong. Results are the only thing on standard output, so there is nothing on it here.
@Suite(.serialized) struct UsageTests {
    @Test func `what the command does not know is usage`() async throws {
        try await Installation.run { installation in
            for arguments in [["nonsense"], ["drain", "--nonsense"], ["drain", "product"], ["get", "product"], ["events", "product", "--limit", "many"]] {
                let ended = try await installation.start(arguments).ended()
                #expect(ended.code == 64, "\(arguments)")
                #expect(ended.output == "", "\(arguments)")
                #expect(ended.errors.contains("Error:"), "\(arguments): \(ended.errors)")
            }
            #expect(try await installation.millrace("drain", "product").errors.contains("to drain continuously, use millrace run"))
            let help = try await installation.millrace("--help")
            #expect(help.code == 0 && help.errors == "")
            for command in ["push", "drain", "run", "get", "events", "status", "check", "sandbox"] {
                #expect(help.output.contains("  \(command) "), "\(command)")
            }
        }
    }

    @Test func `an unknown name comes with the nearest one`() async throws {
        let category = Installation.model.replacing("model: product", with: "model: category")
        try await Installation.run(["config/models/category.yaml": category]) { installation in
            for arguments in [["drain", "--once", "prodct"], ["push", "prodct"], ["events", "prodct"], ["drain", "--once", "product", "prodct"]] {
                let ended = try await installation.start(arguments).ended()
                #expect(ended.code == 64, "\(arguments)")
                #expect(ended.output == "")
                #expect(ended.errors == "millrace: unknown-name: there is no stream prodct: did you mean product?\n", "\(arguments)")
            }
            let ended = try await installation.millrace("get", "categry", "1")
            #expect(ended.code == 64)
            #expect(ended.errors == "millrace: unknown-name: there is no model categry: did you mean category?\n")
            let far = try await installation.millrace("get", "x", "1")
            #expect(far.code == 64)
            #expect(far.errors == "millrace: unknown-name: there is no model x: there is category, product\n")
            #expect(try await installation.documents("millrace.meta").isEmpty, "nothing was made")
        }
    }

    @Test func `input that cannot be used is bad input`() async throws {
        try await Installation.run { installation in
            for arguments in [["push", "product", "nowhere.ndjson"], ["push", "product", "config"]] {
                let ended = try await installation.start(arguments).ended()
                #expect(ended.code == 65, "\(arguments): \(ended.errors)")
                #expect(ended.output == "")
                #expect(ended.errors.hasPrefix("millrace: bad-input: \(arguments[2]) cannot be read"), "\(ended.errors)")
            }
            for position in ["nonsense", "x/product/0@-1", "x/category/0@1", "elsewhere/product/0@1"] {
                let ended = try await installation.millrace("events", "product", "--after", position)
                #expect(ended.code == 65, "\(position)")
                #expect(ended.errors.contains("--after \(position) is"), "\(ended.errors)")
            }
        }
    }
}
