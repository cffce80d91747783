import ArgumentParser
import Definitions
import Events
import MongoStore
import Projector
import Values

struct DeadListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Groups the dead letters by problem, or lists those that filters find.",
        discussion: "Letters come in the order of the log, a page at a time; with --json every letter is a line."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var letters: LetterOptions

    @Option(help: "At most so many letters.")
    var limit = 100

    @Option(help: "Only what follows this letter.")
    var after: String?

    /// Letters read at once.
    private static let page = 1000

    func run() async throws {
        try await Ending.of {
            let after = try after.map(DeadLetterID.init(argument:))
            let reader = try await Reader(options.load())
            let filter = try await letters.filter(reader)
            if letters.isGiven || after != nil {
                try await list(reader, filter, after)
            } else {
                show(try await reader.letters.groups(filter))
            }
        }
    }

    private func list(_ reader: Reader, _ filter: LetterFilter, _ after: DeadLetterID?) async throws {
        var left = limit
        var last: DeadLetterID?
        for place in filter.places where after.map({ $0.partition <= place.partition }) ?? true {
            var from = after?.partition == place.partition ? after : nil
            while left > 0 {
                let page = try await reader.letters.page(filter, in: place, after: from, limit: min(left, Self.page))
                guard let end = page.last else { break }
                for letter in page { Output.line(options.json ? JSON.write(.document(letter.document)) : letter.line) }
                (from, last) = (end.id, end.id)
                left -= page.count
            }
        }
        if left == 0, let last { Ending.complain("there may be more: --after \(last)") }
    }

    private func show(_ groups: [LetterGroup]) {
        let total = groups.reduce(0) { $0 + $1.count }
        if options.json {
            Output.line(JSON.write(["letters": .int64(total), "groups": .array(groups.map { .document($0.document) })]))
            return
        }
        guard !groups.isEmpty else { return Output.line("no dead letters") }
        Output.table(
            ["problem", "letters", "first", "logged", "last", "logged"],
            groups.map { group in
                [
                    group.problem.rawValue, Output.count(group.count), group.first.id.description, DateTime.format(milliseconds: group.first.at),
                    group.last.id.description, DateTime.format(milliseconds: group.last.at),
                ]
            }
        )
        Output.line("")
        for group in groups { Output.line("\(group.first.id): \(group.first.refusal)") }
    }
}

extension LetterGroup {
    fileprivate var document: Document {
        [
            "problem": .string(problem.rawValue), "model": build.map { .string($0.model) } ?? .null, "build": build.map { .string($0.description) } ?? .null,
            "stream": .string(first.partition.stream), "letters": .int64(count), "first": .string(first.id.description), "firstAt": .date(first.at),
            "last": .string(last.id.description), "lastAt": .date(last.at), "example": .document(first.document),
        ]
    }
}

extension DeadLetter {
    /// The members that `dead list` and `dead show` print.
    var document: Document {
        [
            "id": .string(id.description), "problem": .string(refusal.problem.rawValue), "message": .string(refusal.message),
            "model": build.map { .string($0.model) } ?? .null, "build": build.map { .string($0.description) } ?? .null,
            "stream": .string(partition.stream), "partition": .int64(Int64(partition.number)), "offset": .int64(offset),
            "eventType": type.map(Value.string) ?? .null, "key": key.map(Value.string) ?? .null, "loggedAt": .date(at),
            "decision": decision.map { .string($0.rawValue) } ?? .null,
        ]
    }

    fileprivate var line: String {
        let what = [type, key].compactMap(\.self).joined(separator: " ")
        return "\(id)  \(DateTime.format(milliseconds: at))  \(what.isEmpty ? "no event" : what)  \(refusal)"
    }
}
