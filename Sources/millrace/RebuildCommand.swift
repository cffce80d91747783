import ArgumentParser
import Definitions
import Events
import Foundation
import Models
import MongoStore
import Projector
import Values

struct RebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Folds models into new builds beside the live ones, and sends readers over.",
        discussion: """
            The live build is drained and read all the while. Ctrl-C leaves it as it is, and removes the new one; after a kill, --resume goes on. \
            The build that readers leave is kept current for --keep, and --undo goes back to it. Exits 75 when somebody else rebuilds the model.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The models.")
    var models: [String]

    @Option(help: "How long the build that is left is kept: 90s, 30m, 24h, 7d, or 0s.")
    var keep = "24h"

    @Option(help: "At most so many events a second.")
    var throttle: Int?

    @Flag(help: "Only say what would be done.")
    var dryRun = false

    @Flag(help: "Go on with a build that was left when a rebuild was killed.")
    var resume = false

    @Flag(help: "Send readers back to the build that they left last, or strike out the switch that is under way.")
    var undo = false

    @Flag(help: "Remove the builds that are kept to go back to, and those that a killed rebuild has left.")
    var forget = false

    @Option(help: "Only this document: written in place as the log makes it, where it is not.")
    var key: String?

    @Flag(help: "Load the rows of the model's source of truth first, and take the log from where it stood then.")
    var fromSource = false

    func validate() throws {
        guard !undo || !(fromSource || resume || dryRun || throttle != nil) else { throw ValidationError("--undo goes with --keep alone") }
        guard key == nil || models.count == 1 && !(undo || forget || fromSource || resume || dryRun || throttle != nil) else {
            throw ValidationError("--key goes alone, with the document's model")
        }
        guard !forget || !(fromSource || resume || dryRun || throttle != nil || undo) else { throw ValidationError("--forget goes alone") }
        guard throttle ?? 1 > 0 else { throw ValidationError("--throttle takes a number of events above 0") }
        guard kept != nil else { throw ValidationError("--keep takes a duration, such as 90s, 30m, 24h or 7d") }
    }

    private var kept: Duration? { Units.duration(keep) }

    func run() async throws {
        try await Ending.of {
            let configuration = try options.load()
            for model in models { try configuration.require(model: model) }
            if let key, let model = models.first { return try await rewrite(key, of: model, configuration) }
            let site = try await RebuildSite(configuration, logger: options.logger)
            for name in models {
                guard let model = configuration.model(name) else { continue }
                if undo {
                    show(try await site.undo(model, keep: kept ?? .zero))
                } else if forget {
                    let removed = try await site.forget(model).map(\.description)
                    Output.line(
                        options.json
                            ? JSON.write(["removed": .array(removed.map(Value.string))])
                            : removed.isEmpty ? "no build of \(name) is kept" : "removed: \(removed.joined(separator: ", "))")
                } else if dryRun {
                    try await show(model, site)
                } else {
                    try await rebuild(model, site)
                }
            }
        }
    }

    private func rebuild(_ model: Model, _ site: RebuildSite) async throws {
        var settings = Rebuild.Settings()
        settings.keep = kept ?? settings.keep
        settings.isResumed = resume
        settings.rate = throttle
        if fromSource {
            settings.rows = try site.rows(of: model)
        } else if let live = try await site.pointer(to: model).liveBuild, live.loaded != nil {
            Ending.complain("\(live.id) was loaded from its source of truth: the new build has only what the log tells, unless --from-source loads it again")
        }
        let chosen = settings
        let progress = RebuildProgress(model.name, total: try await site.logged(of: model), isJSON: options.json)
        let began = ContinuousClock.now
        do {
            let outcome = try await interruptible { try await site.rebuild(model, chosen, progress: progress.note) }
            progress.end()
            show(outcome, model, (.now - began) / .seconds(1))
        } catch let interruption as Interruption {
            progress.end()
            Ending.complain("\(model.name) is read as before, and nothing is left of the new build")
            throw interruption
        } catch {
            progress.end()
            throw error
        }
    }

    /// Folds one document from its events, and writes it in the live build where it is another.
    private func rewrite(_ key: String, of model: String, _ configuration: Configuration) async throws {
        var plan = Reconcile.Plan()
        plan.id = key
        plan.isRepair = true
        let reader = try await Reader(configuration, connections: ReconcileRun.connections(configuration))
        let run = try ReconcileRun(reader, models: [model], plan, against: [.log], logger: options.logger)
        for result in try await interruptible({ try await run.run() }) {
            let (build, isClean) = (result.build, result.outcome?.isClean ?? true)
            if options.json {
                Output.line(JSON.write(.document(result.document(isRepair: true))))
            } else {
                Output.line("\(key) of \(build) \(isClean ? "is what the log makes it" : "was not what the log makes it, and is written anew")")
            }
        }
    }

    // MARK: What it says

    private func show(_ outcome: Rebuild.Outcome, _ model: Model, _ seconds: Double) {
        let comparison = outcome.comparison
        if options.json { return Output.line(JSON.write(.document(document(outcome, model, seconds)))) }
        let events = outcome.totals.logged
        let rows = outcome.rows.map { "\(Output.count($0)) rows, " } ?? ""
        Output.line(
            "\(outcome.build) is live: \(rows)\(Output.count(events)) events, \(Output.count(comparison.newDocuments)) documents in \(Self.format(seconds)) s")
        Output.line(
            "\(outcome.left) had \(Output.count(comparison.liveDocuments)) documents; of \(Output.count(Int64(comparison.sampled))) compared, "
                + "\(Output.count(Int64(comparison.different.count))) differ\(comparison.different.isEmpty ? "" : why(comparison))")
        for fault in outcome.indexFaults { Ending.complain(fault) }
        Output.line(kept == .zero ? "\(outcome.left) is removed" : "\(outcome.left) is kept for \(keep): rebuild --undo \(model.name) goes back to it")
    }

    private func why(_ comparison: BuildComparison) -> String {
        comparison.isExpected
            ? ", as they may: \(comparison.isOfOtherHistory ? "one of them was loaded from its source of truth" : "the definition changed")"
            : ", though the definition is the same: \(comparison.different.prefix(5).joined(separator: ", ")); the live build was not what the log makes it"
    }

    private static func format(_ seconds: Double) -> String { String(format: "%.1f", seconds) }

    private func document(_ outcome: Rebuild.Outcome, _ model: Model, _ seconds: Double) -> Document {
        let stages = outcome.stages.map { stage -> Value in
            ["stage": .string(stage.name), "seconds": .double((stage.seconds * 1000).rounded() / 1000)]
        }
        let head: Document = [
            "model": .string(model.name), "stage": "done", "seconds": .double((seconds * 1000).rounded() / 1000),
        ]
        return Document(head.fields + outcome.sums.fields + [Document.Field("stages", .array(stages))])
    }

    private func show(_ outcome: RebuildUndo.Outcome) {
        switch outcome {
        case .struckOut(let build):
            Output.line(options.json ? JSON.write(["struckOut": .string(build.description)]) : "the switch to \(build) is struck out: nobody has seen it")
        case .switched(let old, let new):
            Output.line(
                options.json
                    ? JSON.write(["live": .string(new.description), "left": .string(old.description)])
                    : "\(new) is live again; \(old) is kept for \(keep)")
        }
    }

    /// What a rebuild would do.
    private func show(_ model: Model, _ site: RebuildSite) async throws {
        let pointer = try await site.pointer(to: model)
        let events = fromSource ? 0 : try await site.logged(of: model)
        if fromSource { _ = try site.rows(of: model) }
        let documents = try await site.documents(of: pointer.live)
        let changes = pointer.liveBuild.map { DefinitionChange(from: $0.source, versions: $0.versions, foldHash: $0.foldHash, to: model).fold } ?? []
        let left = pointer.builds.first { $0.state == .building }?.build.id
        if options.json {
            return Output.line(
                JSON.write([
                    "model": .string(model.name), "live": .string(pointer.live.description), "events": .int64(events), "documents": .int64(documents),
                    "changes": .array(changes.map(Value.string)), "left": left.map { .string($0.description) } ?? .null,
                    "fromSource": .bool(fromSource),
                ]))
        }
        if fromSource {
            Output.line("\(model.name): the rows of its source of truth would be loaded, and only what is logged from then on be folded")
        }
        Output.line("\(model.name): \(Output.count(events)) events would be folded beside \(pointer.live) with its \(Output.count(documents)) documents")
        Output.line(changes.isEmpty ? "the definition is the live build's" : "changed since the live build was made: \(changes.joined(separator: ", "))")
        if let left { Output.line(resume ? "\(left) would be gone on with" : "\(left), which another rebuild has left, would be removed") }
    }
}
