import ArgumentParser
import Definitions
import Events
import Foundation
import Models
import MongoStore
import Projector
import Values

struct ReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Compares every document with the fold of its events, and puts right what differs.",
        discussion: """
            Goes on beside a running drain. Exits 1 when drift is found, repaired or not; 75 when somebody else reconciles the model. What it costs is the \
            documents and the events since the last snapshot, which it leaves for the next time.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Models; all when none is named.")
    var models: [String] = []

    @Flag(help: "Say what differs, and change nothing (the default), or write what the log makes.")
    var mode: Mode = .report

    @Option(help: "Compare with the log alone, or with the sources of truth that models have alone. Both where it is not given.")
    var truth: Drift.Truth?

    @Option(help: "Only this document.")
    var id: String?

    @Option(help: "Only a part of the documents, drawn anew each time, such as 5%.")
    var sample: String?

    @Option(help: "More drift than this is not repaired. The larger of 1 % and 100 documents where it is not given.")
    var maxChange: Int64?

    @Option(help: "Documents a second at most.")
    var throttle: Int?

    @Flag(help: "Show what the last one found, and compare nothing.")
    var last = false

    enum Mode: String, EnumerableFlag {
        case report, repair
    }

    /// Drifted documents that are shown to people, and to machines; the report has more.
    private static let shown = (lines: 20, json: 1000)

    func validate() throws {
        if id != nil, models.count != 1 { throw ValidationError("--id takes the document's model") }
        if let sample, Units.part(sample) == nil { throw ValidationError("--sample takes a part such as 5%") }
        if sample != nil, id != nil { throw ValidationError("--sample and --id both say which documents: give one") }
        if let maxChange, maxChange < 0 { throw ValidationError("--max-change takes a number of documents") }
        if let throttle, throttle < 1 { throw ValidationError("--throttle takes a number of documents from 1 on") }
    }

    /// What was found in a model, and some of it.
    private struct Found {
        var model: String
        var document: Document
        var drift: [Drift]
    }

    func run() async throws {
        let (found, problems) = try await Ending.of {
            let configuration = try options.load()
            for model in models { try configuration.require(model: model) }
            let reader = try await Reader(configuration, connections: ReconcileRun.connections(configuration))
            let run = try ReconcileRun(reader, models: models, plan, against: truths, logger: options.logger)
            if last { return (try await lastReports(run), []) }
            let results = try await interruptible { try await run.run() }
            var found: [Found] = []
            for result in results {
                let document = result.document(isRepair: plan.isRepair)
                found.append(Found(model: result.build.model, document: document, drift: try await drift(run, result.report)))
            }
            return (found, results.flatMap(\.problems))
        }
        if options.json {
            Output.line(JSON.write(["models": .document(Document(found.map { Document.Field($0.model, .document(Self.document($0))) }))]))
        } else {
            show(found)
        }
        for problem in problems { Ending.complain("\(problem)") }
        let outcomes = found.flatMap { [$0.document["outcome"], $0.document["source"]?.asDocument?["outcome"]] }.compactMap(\.self)
        if outcomes.contains(where: { $0 != "clean" }) { throw Ending.notGood }
    }

    private var truths: Set<Drift.Truth> { truth.map { [$0] } ?? Set(Drift.Truth.allCases) }

    private var plan: Reconcile.Plan {
        var plan = Reconcile.Plan()
        plan.id = id
        plan.sample = sample.flatMap(Units.part) ?? 1
        plan.isRepair = mode == .repair
        plan.maxChange = maxChange
        plan.throttle = throttle
        return plan
    }

    private func drift(_ run: ReconcileRun, _ report: DriftReportID) async throws -> [Drift] {
        try await run.reports.drift(of: report, from: 0, most: options.json ? Self.shown.json : Self.shown.lines)
    }

    private func lastReports(_ run: ReconcileRun) async throws -> [Found] {
        var found: [Found] = []
        for model in run.models {
            guard let head = try await run.reports.reports(on: model).first(where: { $0["outcome"] != "running" }),
                let name = head["_id"]?.asDocument?["r"]?.asString
            else { continue }
            let fields = head.fields.filter { !["_id", "format"].contains($0.name) }
            let began = name.split(separator: "/").first.map(String.init) ?? name
            let document = Document([Document.Field("began", .string(began))] + fields)
            found.append(Found(model: model, document: document, drift: try await drift(run, DriftReportID(model: model, run: name))))
        }
        return found
    }

    // MARK: Output

    private func show(_ found: [Found]) {
        guard !found.isEmpty else { return Output.line(last ? "no model was reconciled yet" : "no model has a build yet") }
        func count(_ document: Document, _ name: String) -> String { Output.count(document[name]?.asInteger ?? 0) }
        // Of those that were compared with the log.
        let compared = found.filter { $0.document["documents"] != nil }
        if !compared.isEmpty { showCounts(compared, count) }
        for one in found {
            if let source = one.document["source"]?.asDocument {
                let counts = ["rows", "missing", "extra", "different", "corrected"].map { "\(count(source, $0)) \($0)" }
                Output.line("\(one.model) and its source of truth: \(counts.joined(separator: ", ")): \(source["outcome"]?.asString ?? "")")
            }
            for drift in one.drift { Output.line(Self.line(one.model, drift)) }
            let drifted = [one.document, one.document["source"]?.asDocument ?? Document()].reduce(0) { sum, document in
                ["missing", "extra", "different"].reduce(sum) { $0 + (document[$1]?.asInteger ?? 0) }
            }
            if drifted > Int64(one.drift.count) { Output.line("\(Output.count(drifted - Int64(one.drift.count))) more of \(one.model)") }
        }
    }

    private func showCounts(_ found: [Found], _ count: (Document, String) -> String) {
        Output.table(
            ["model", "build", "documents", "missing", "extra", "different", "repaired", "outcome"],
            found.map { found in
                [found.model, found.document["build"]?.asString ?? ""]
                    + ["documents", "missing", "extra", "different", "repaired"].map { count(found.document, $0) } + [found.document["outcome"]?.asString ?? ""]
            })
    }

    private static func line(_ model: String, _ drift: Drift) -> String {
        let id = drift.id.asString ?? JSON.write(drift.id)
        let fields = drift.fields.map { field in
            guard field.name != Drift.orderOfFields else { return "its fields in another order" }
            return "\(field.name): found \(field.found.map(JSON.write) ?? "nothing"), expected \(field.expected.map(JSON.write) ?? "nothing")"
        }
        let kind = drift.truth == .log ? drift.kind.rawValue : "\(drift.kind.rawValue) by its source of truth"
        return (["\(model) \(id): \(kind)"] + fields).joined(separator: "; ")
    }

    private static func document(_ found: Found) -> Document {
        let drift = found.drift.map { drift -> Value in
            [
                "_id": drift.id, "kind": .string(drift.kind.rawValue), "truth": .string(drift.truth.rawValue),
                "fields": .array(
                    drift.fields.map { field in
                        var document: Document = ["name": .string(field.name)]
                        if let found = field.found { document.append("found", found) }
                        if let expected = field.expected { document.append("expected", expected) }
                        return .document(document)
                    }),
            ]
        }
        return Document(found.document.fields + [Document.Field("drift", .array(drift))])
    }
}

extension Drift.Truth: ExpressibleByArgument {}
