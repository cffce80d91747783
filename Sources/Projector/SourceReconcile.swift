import Events
import Logging
import Models
import Values

/// Compares the documents of a build with an outside source of truth, and corrects them with events.
///
/// Each row is an event, and a difference is what folding it would change. It is drift where it shows in two looks at least
/// `settle` apart, with the document unmoved between them, and with everything applied that was waiting at the first one. The
/// correction is that event, pushed onto the stream's list like any other: nothing is written to the documents here.
public struct SourceReconcile: Sendable {
    public struct Stores: Sendable {
        /// It and the log share a session.
        public var documents: any ProjectionStore
        public var log: any EventLog
        public var lists: any CorrectionLists
        public var reports: any DriftReports

        public init(documents: any ProjectionStore, log: any EventLog, lists: any CorrectionLists, reports: any DriftReports) {
            self.documents = documents
            self.log = log
            self.lists = lists
            self.reports = reports
        }
    }

    public struct Limits: Sendable {
        /// Documents that differ in the first look.
        public var candidates = 1_000_000
        /// Bytes of rows and corrections that are kept until something is decided about them.
        public var bytes = ByteCount.mebibytes(64)
        /// Runs of a command that is asked for some rows; for more, one that prints all is less.
        public var runs = 10
        /// Corrections that are pushed at once.
        public var page = 500

        public init() {}
    }

    public struct Outcome: Sendable {
        /// Documents are rows, and repaired ones corrections that were pushed.
        public var drift: Reconcile.Outcome
        /// Rows that can be no event of the stream, or whose event the model cannot take.
        public var refused: Int64 = 0
        /// Why, of the first of them.
        public var refusals: [Refusal] = []
        /// Differences of the first look that were none in the second.
        public var passing: Int64 = 0

        public var isClean: Bool { drift.isClean && refused == 0 }
    }

    let definition: FoldDefinition
    let stream: StreamSettings
    let truth: SourceOfTruth
    let source: any TruthSource
    let stores: Stores
    let plan: Reconcile.Plan
    let limits: Limits
    let report: DriftReportID
    /// What is in the report already.
    let reported: Int64
    let logger: Logger

    public init(
        _ definition: FoldDefinition, _ stream: StreamSettings, _ truth: SourceOfTruth, _ source: any TruthSource, _ stores: Stores, _ plan: Reconcile.Plan,
        report: DriftReportID, after reported: Int64, limits: Limits = Limits(), logger: Logger
    ) {
        self.definition = definition
        self.stream = stream
        self.truth = truth
        self.source = source
        self.stores = stores
        self.plan = plan
        self.limits = limits
        self.report = report
        self.reported = reported
        self.logger = logger
    }

    public func run() async throws -> Outcome {
        var findings = DriftFindings(plan, Reconcile.Limits(), stores.reports, report, after: reported)
        // A fault of a server that the rows come from makes it begin again; that of a program is for a person to look at.
        let first = try await Fault.borne("read the source of truth", logger) {
            var look = SourceLook(self)
            try await look.read()
            return look
        }
        if first.isEmpty, plan.id == nil, try await hasEvents() {
            throw Refusal(.badInput, "the source of truth of \(definition.build.model) has no rows: is it the right one?")
        }
        findings.outcome.counts.documents = first.rows
        findings.mark("rows")
        var refusals = first.refusals
        var corrections: [SourceCorrection] = []
        if !first.candidates.isEmpty {
            let tokens = try await tokens(of: first.candidates.keys)
            try await Task.sleep(for: truth.settle)
            findings.mark("settle")
            try await checkApplied(tokens)
            var second = SecondLook(self, first.candidates, refusals)
            try await second.read(&findings)
            refusals = second.refusals
            corrections = second.corrections
            findings.mark("rows again")
        }
        try await findings.finish()
        CrashPoint.driftReported.reached()
        findings.decide()
        if plan.isRepair, !findings.outcome.isDeclined, !corrections.isEmpty {
            findings.outcome.counts.repaired = try await push(corrections)
            findings.mark("corrections")
        }
        let passing = Int64(first.candidates.count) - findings.outcome.counts.drifted
        return Outcome(drift: findings.outcome, refused: refusals.count, refusals: refusals.first, passing: max(0, passing))
    }

    func partition(of key: String) -> PartitionID {
        PartitionID(stream: stream.name, number: Partitioning.partition(of: key.utf8, count: stream.partitions))
    }

    /// The stored documents of some keys that are not expired.
    func documents(of keys: [String]) async throws -> [ExactString: StoredDocument] {
        try await Fault.borne("read documents", logger) {
            var times: [Int: Int64] = [:]
            if definition.fold.lifetime != nil {
                for partition in Set(keys.map { partition(of: $0) }) {
                    times[partition.number] = try await stores.documents.checkpoint(of: definition.build, partition)?.time
                }
            }
            var found: [ExactString: StoredDocument] = [:]
            for stored in try await stores.documents.documents(of: definition.build, keys: keys) {
                let document = StoredDocument(try Document(bson: stored.bson))
                found[ExactString(stored.key)] = document?.unlessExpired(at: times[document?.position.partition ?? 0] ?? .min)
            }
            return found
        }
    }

    private func hasEvents() async throws -> Bool {
        for number in 0..<stream.partitions {
            let checkpoint = try await Fault.borne("read a checkpoint", logger) {
                try await stores.documents.checkpoint(of: definition.build, PartitionID(stream: stream.name, number: number))
            }
            if let checkpoint, checkpoint.offset > 0 { return true }
        }
        return false
    }

    // MARK: What is on its way

    /// Of the lists whose events may explain the differences.
    private func tokens(of keys: some Sequence<ExactString>) async throws -> [Int: ListCompleteness] {
        var tokens: [Int: ListCompleteness] = [:]
        for number in Set(keys.lazy.map { partition(of: $0.text).number }) {
            tokens[number] = try await Fault.borne("read a token", logger) { try await stores.lists.token(of: number) }
        }
        return tokens
    }

    /// What was waiting in a list at the first look explains a difference as long as it is not applied.
    private func checkApplied(_ tokens: [Int: ListCompleteness]) async throws {
        for (number, wanted) in tokens.sorted(by: { $0.key < $1.key }) where wanted.token.cuts > 0 {
            let partition = PartitionID(stream: stream.name, number: number)
            let checkpoint = try await Fault.borne("read a checkpoint", logger) { try await stores.documents.checkpoint(of: definition.build, partition) }
            let complete = checkpoint?.complete.first { $0.list == wanted.list }?.token
            guard let complete, complete.run == wanted.token.run, complete.cuts >= wanted.token.cuts else {
                throw Refusal(
                    .notCaughtUp,
                    "events of \(partition) wait to be applied to \(definition.build) for longer than settle, and may be what its documents lack: "
                        + "does a worker drain \(wanted.list)?")
            }
        }
    }

    // MARK: Corrections

    private func push(_ corrections: [SourceCorrection]) async throws -> Int64 {
        var pushed: Int64 = 0
        for (number, own) in Dictionary(grouping: corrections, by: \.partition.number).sorted(by: { $0.key < $1.key }) {
            for start in stride(from: 0, to: own.count, by: limits.page) {
                try Task.checkCancellation()
                let page = own[start..<min(own.count, start + limits.page)]
                // What was pushed before a fault is pushed again: with the same id, it is a duplicate.
                try await Fault.borne("push corrections", logger) { try await stores.lists.push(page.flatMap(\.elements), to: number) }
                CrashPoint.correctionsPushed.reached()
                pushed += Int64(page.count)
            }
        }
        return pushed
    }
}
