import ArgumentParser
import Definitions
import Events
import MongoStore
import Projector
import Reads
import Values

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "The read API's tokens. Without any, only this machine is served; with one, every request needs one.",
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self]
    )
}

extension ReadConsistency: ExpressibleByArgument {}

struct TokenCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a token, and prints it this once.",
        discussion: "Send it as Authorization: Bearer TOKEN. What is kept of it is a hash."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "What it is for, such as shop-frontend.")
    var name: String

    @Option(name: .customLong("model"), help: "Only this model; may be given again for others.")
    var models: [String] = []

    @Option(help: "Only these fields, such as name,price.amount.")
    var fields: String?

    @Option(help: "How long it is valid, such as 90d; for ever if this is not said.")
    var expires: String?

    @Option(help: "Requests a second.")
    var rate: Int?

    @Option(help: "The strongest consistency that may be asked for: eventual, causal or strong.")
    var consistency = ReadConsistency.strong

    private static let nameLength = 1...100

    func validate() throws {
        if let expires, Units.duration(expires).map({ $0 <= .zero }) ?? true { throw ValidationError("--expires \(expires): write a number and s, m, h or d") }
        if let rate, !APISettings.rateRange.contains(rate) { throw ValidationError("--rate must be 1 to \(APISettings.rateRange.upperBound)") }
        guard Self.nameLength.contains(name.utf8.count), !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw ValidationError("a name has 1 to \(Self.nameLength.upperBound) bytes without control characters")
        }
        if let fields, fields.split(separator: ",", omittingEmptySubsequences: false).contains(where: { $0.isEmpty || $0.hasPrefix(".") || $0.hasSuffix(".") })
        {
            throw ValidationError("--fields \(fields): write paths such as name,price.amount")
        }
    }

    func run() async throws {
        try await Ending.of {
            let configuration = try options.load()
            for model in models { try configuration.require(model: model) }
            let reader = try await Reader(configuration)
            let text = TokenText.make()
            let hash = TokenText.hash(of: text)
            let token = AccessToken(
                id: hash.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(), name: name, hash: hash, models: models.isEmpty ? nil : models,
                fields: fields?.split(separator: ",").map(String.init), rate: rate, consistency: consistency, created: 0)
            try await reader.tokens.create(token, lifetime: expires.flatMap(Units.duration))
            if options.json {
                Output.line(JSON.write(["id": .string(token.id), "token": .string(text)]))
            } else {
                Output.line(text)
                Ending.complain("this is the only time that the token \(token.id) is shown")
            }
        }
    }
}

struct TokenListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "The tokens, without what would let anybody in.")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        try await Ending.of {
            let (tokens, now) = try await Reader(try options.load()).tokens.all()
            if options.json { return Output.line(JSON.write(["tokens": .array(tokens.map { .document($0.document(at: now)) })])) }
            if tokens.isEmpty { return Output.line("there is no token: only this machine is served") }
            Output.table(
                ["id", "name", "state", "models", "fields", "rate", "consistency", "created", "expires"],
                tokens.map { token in
                    [
                        token.id, token.name, token.state(at: now), token.models?.joined(separator: ",") ?? "all",
                        token.fields?.joined(separator: ",") ?? "all",
                        token.rate.map { "\($0)/s" } ?? "-", token.consistency.rawValue, DateTime.format(milliseconds: token.created),
                        token.expires.map(DateTime.format(milliseconds:)) ?? "-",
                    ]
                })
        }
    }
}

struct TokenRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Ends a token: within two seconds, while MongoDB answers, nobody is let in by it.")

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Its id, which token list prints.")
    var id: String

    func run() async throws {
        try await Ending.of {
            guard try await Reader(try options.load()).tokens.revoke(id) else {
                throw Refusal(.unknownName, "there is no token \(id): see millrace token list")
            }
            Output.line(options.json ? JSON.write(["revoked": .string(id)]) : "revoked \(id)")
        }
    }
}

extension AccessToken {
    fileprivate func state(at now: Int64) -> String { revoked != nil ? "revoked" : isValid(at: now) ? "valid" : "expired" }

    fileprivate func document(at now: Int64) -> Document {
        [
            "id": .string(id), "name": .string(name), "state": .string(state(at: now)), "models": models.map { .array($0.map(Value.string)) } ?? .null,
            "fields": fields.map { .array($0.map(Value.string)) } ?? .null, "rate": rate.map { .int64(Int64($0)) } ?? .null,
            "consistency": .string(consistency.rawValue), "created": .date(created), "expires": expires.map(Value.date) ?? .null,
            "revoked": revoked.map(Value.date) ?? .null,
        ]
    }
}
