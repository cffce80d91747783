import ArgumentParser
import Definitions
import Events
import MongoStore
import Projector
import Values

struct DeadRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Folds the keys of dead letters again from the log, under the live build's definition.",
        discussion: """
            What was decided about an event (dropped, parked after crashes) is lifted first. Exits 1 when letters are parked still, 2 when --expect is \
            not their number.
            """
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var letters: LetterOptions
    @OptionGroup var bulk: BulkOptions

    func validate() throws { try bulk.check(letters) }
    func run() async throws { try await bulk.run(.retry, letters, options) }
}

struct DeadDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Decides that events are ignored, in every build of their model.",
        discussion: "The letters are kept as dropped, so that restore can take it back. Exits 2 when --expect is not their number."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var letters: LetterOptions
    @OptionGroup var bulk: BulkOptions

    func validate() throws {
        try bulk.check(letters)
        if letters.dropped { throw ValidationError("what was dropped cannot be dropped again") }
    }
    func run() async throws { try await bulk.run(.drop, letters, options) }
}

struct DeadRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Takes a drop back.",
        discussion: "Filters find dropped letters alone. Exits 2 when --expect is not their number."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var letters: LetterOptions
    @OptionGroup var bulk: BulkOptions

    func validate() throws { try bulk.check(letters) }
    func run() async throws { try await bulk.run(.restore, letters, options) }
}

/// What actions on many letters share.
struct BulkOptions: ParsableArguments {
    @Argument(help: "Letters; or filters say which.")
    var ids: [String] = []

    @Option(help: "Only if it is so many letters; else nothing is changed.")
    var expect: Int64?

    @Flag(help: "Say what would become of the letters, and change nothing.")
    var dryRun = false

    func check(_ letters: LetterOptions) throws {
        if ids.isEmpty, !letters.isGiven { throw ValidationError("say which letters: by their ids, by filters, or --all") }
        if !ids.isEmpty, letters.isGiven { throw ValidationError("name the letters, or filter them: not both") }
    }

    func run(_ action: LetterAction, _ letters: LetterOptions, _ options: GlobalOptions) async throws {
        let (outcome, missing) = try await Ending.of { () async throws -> (LetterOutcome, Int64) in
            let ids = try ids.map(DeadLetterID.init(argument:))
            let reader = try await Reader(options.load())
            var filter = try await letters.filter(reader, isUpToNow: true)
            filter.isDropped = letters.dropped || action == .restore
            let count = ids.isEmpty ? try await reader.letters.count(filter) : Int64(try await reader.store.letters(ids).count)
            if let expect, expect != count {
                Ending.complain("declined: there are \(Output.count(count)) such letters, not \(Output.count(expect)); nothing was changed")
                throw Ending.declined
            }
            let found = filter
            return try await interruptible {
                var bulk = BulkRepair(action: action, reader: reader, isDryRun: dryRun, logger: options.logger)
                if ids.isEmpty { try await bulk.apply(found) } else { try await bulk.apply(ids) }
                return (bulk.outcome, ids.isEmpty ? 0 : Int64(Set(ids).count) - count)
            }
        }
        if options.json {
            Output.line(JSON.write(.document(outcome.document(action, isDryRun: dryRun))))
        } else {
            Output.line(outcome.text(action, isDryRun: dryRun))
        }
        if missing > 0 { Ending.complain("no-such-letter: \(Output.count(missing)) of the letters are not there") }
        if action == .retry { explain(outcome) }
        if missing > 0 || (action == .retry && !dryRun && outcome.parked > 0) { throw Ending.notGood }
    }

    /// Says why letters are parked still.
    private func explain(_ outcome: LetterOutcome) {
        if outcome.unchanged > 0 {
            Ending.complain(
                "\(Output.count(Int64(outcome.unchanged))) are parked for the reason that the fold itself gives, and nothing has changed: edit the model, then "
                    + "millrace rebuild it, which makes the dead letters of its build anew")
        }
        if outcome.undecodable > 0 {
            Ending.complain(
                "\(Output.count(Int64(outcome.undecodable))) are elements that are no events, which was decided when they were logged: millrace dead export "
                    + "them, and push them corrected")
        }
    }
}

extension LetterOutcome {
    fileprivate func document(_ action: LetterAction, isDryRun: Bool) -> Document {
        [
            "action": .string(action.rawValue), "dryRun": .bool(isDryRun), "letters": .int64(Int64(letters)), "settled": .int64(Int64(settled)),
            "parked": .int64(Int64(parked)), "unchanged": .int64(Int64(unchanged)), "undecodable": .int64(Int64(undecodable)),
            "documents": .int64(Int64(documents)),
        ]
    }

    fileprivate func text(_ action: LetterAction, isDryRun: Bool) -> String {
        func count(_ number: Int) -> String { Output.count(Int64(number)) }
        let verb =
            switch action {
            case .retry: isDryRun ? "would retry" : "retried"
            case .drop: isDryRun ? "would drop" : "dropped"
            case .restore: isDryRun ? "would restore" : "restored"
            }
        let what = "\(verb) \(count(letters)) dead letters\(action == .drop ? "" : ": \(count(settled)) settled, \(count(parked)) parked")"
        return what + (isDryRun ? "; nothing was changed (to do it: --expect \(letters))" : "; \(count(documents)) documents corrected")
    }
}
