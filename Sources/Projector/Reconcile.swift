import Events
import Foundation
import Logging
import Models
import Values

/// Compares the documents of a build with the fold of their events, and puts right what differs.
///
/// What the log has had since the last snapshot is folded, key by key, onto that; every other document is compared by
/// the digest that the snapshot carries. Whatever differs is looked at again at one moment, with its checkpoint, before it
/// is called drifted. So documents that are as they should be are read once, and the log from the snapshot on.
public struct Reconcile: Sendable {
    /// What is compared, and what is done about it.
    public struct Plan: Sendable {
        /// Only this document.
        public var id: String?
        /// The part of the documents that is compared, drawn anew each time: 0 to 1.
        public var sample = 1.0
        public var isRepair = false
        /// More drift than this is not repaired; nil for the larger of a hundredth of the documents and `leastChange`.
        public var maxChange: Int64?
        /// Documents a second at most.
        public var throttle: Int?

        public static let leastChange: Int64 = 100

        public init() {}
    }

    public struct Limits: Sendable {
        /// Documents that are read at once.
        public var page = 10_000
        /// Documents whose keys are held at once; where more may differ, all are gone along in the order of their keys.
        public var held = 200_000
        /// Keys that may have changed since a snapshot without a new one being made.
        public var touched = 20_000
        /// Events that may have been logged since a snapshot without a new one being made, unless there are more documents:
        /// every reconcile goes through them.
        public var events: Int64 = 100_000
        /// Drifted documents that a report names, where fewer may be repaired; more are only counted.
        public var reported: Int64 = 10_000

        public init() {}
    }

    public struct Outcome: Sendable {
        public var counts = DriftCounts()
        /// There was too much drift to be repaired.
        public var isDeclined = false
        public var maxChange: Int64 = 0
        /// How many drifted documents the report names.
        public var reported: Int64 = 0
        /// Time of each stage.
        public var stages: [(name: String, lasted: Duration)] = []

        /// Nothing drifted.
        public var isClean: Bool { counts.drifted == 0 }
    }

    /// Who does it, and through what.
    public struct Stores: Sendable {
        /// It, the snapshots and the log share a session.
        public var documents: any RepairStore
        public var snapshots: any SnapshotStore
        public var log: any EventLog
        /// Through another session, beside the comparison.
        public var scan: any DocumentScan
        public var leases: any LeaseStore
        public var reports: any DriftReports
        public var holder: String

        public init(
            documents: any RepairStore, snapshots: any SnapshotStore, log: any EventLog, scan: any DocumentScan, leases: any LeaseStore,
            reports: any DriftReports, holder: String
        ) {
            self.documents = documents
            self.snapshots = snapshots
            self.log = log
            self.scan = scan
            self.leases = leases
            self.reports = reports
            self.holder = holder
        }
    }

    let definition: FoldDefinition
    let partitions: [PartitionID]
    let stores: Stores
    let plan: Plan
    let limits: Limits
    let report: DriftReportID
    let logger: Logger

    /// Failures of servers that a run bears with: what it did before one is done again.
    private static let mostFailures = 5
    /// Snapshots that reconciles leave for the next one, of each partition.
    private static let kept = 2

    public init(
        _ definition: FoldDefinition, _ partitions: [PartitionID], _ stores: Stores, _ plan: Plan, report: DriftReportID, limits: Limits = Limits(),
        logger: Logger
    ) {
        self.definition = definition
        self.partitions = partitions
        self.stores = stores
        self.plan = plan
        self.report = report
        self.limits = limits
        self.logger = logger
    }

    public func run() async throws -> Outcome {
        var pause = Backoff(first: .milliseconds(500), most: .seconds(10))
        var failures = 0
        while true {
            do {
                try await stores.reports.clear(report)
                var findings = DriftFindings(plan, limits, stores.reports, report)
                return try await attempt(&findings)
            } catch let damage as SnapshotDamaged {
                logger.warning("the comparison begins again", metadata: ["model": "\(definition.build.model)", "error": "\(damage)"])
                try await stores.snapshots.discard(damage)
            } catch let failure as any StoreFailure where failure.isRetriable && failures < Self.mostFailures {
                failures += 1
                logger.warning("the comparison begins again", metadata: ["model": "\(definition.build.model)", "error": "\(failure)"])
                await stores.documents.abandon()
                try await Task.sleep(for: pause.next())
            }
        }
    }

    private func attempt(_ findings: inout DriftFindings) async throws -> Outcome {
        if let id = plan.id {
            let partition = partitions[Partitioning.partition(of: id.utf8, count: partitions.count)]
            let base = try await nearest(partition)
            findings.outcome.counts.documents = 1
            try await findings.take([ExactString(id)], in: partition, check(partition, base))
        } else {
            var bases: [Base] = []
            for partition in partitions { bases.append(try await base(partition)) }
            CrashPoint.reconcileBegun.reached()
            findings.mark("snapshots")
            findings.expect(documents: bases.reduce(0) { $0 + ($1.snapshot?.documents ?? 0) })
            for base in bases {
                let check = check(base.id, base.snapshot)
                let wanted = base.touched.sorted().filter { _ in plan.sample >= 1 || Double.random(in: 0..<1) < plan.sample }
                for page in stride(from: 0, to: wanted.count, by: DriftCheck.mostKeys) {
                    try await findings.take(Array(wanted[page..<min(wanted.count, page + DriftCheck.mostKeys)]), in: base.id, check)
                }
            }
            findings.mark("events")
            var comparison = DocumentComparison(self, bases)
            try await comparison.run(&findings)
            let foreign = try await stores.scan.foreign(of: definition.build, most: Int(limits.reported))
            try await findings.note(foreign.map { Drift(partition: partitions[0], id: $0, kind: .extra) })
            findings.mark("documents")
        }
        try await findings.finish()
        CrashPoint.driftReported.reached()
        findings.decide()
        if plan.isRepair, !findings.outcome.isDeclined, !findings.outcome.isClean {
            try await repair(&findings)
            findings.mark("repairs")
        }
        return findings.outcome
    }

    /// A partition with the snapshot that its documents are compared with.
    struct Base: Sendable {
        var id: PartitionID
        /// nil where nothing was applied when it began.
        var snapshot: Snapshot?
        /// The keys that the log has touched since, up to the checkpoint.
        var touched: Set<ExactString> = []
    }

    private func nearest(_ partition: PartitionID) async throws -> Snapshot? {
        try await nearest(partition, to: stores.documents.standing(of: definition.build, partition).offset)
    }

    private func base(_ partition: PartitionID) async throws -> Base {
        let offset = try await stores.documents.standing(of: definition.build, partition).offset
        guard offset > 0 || definition.load(in: partition) != nil else { return Base(id: partition) }
        if let snapshot = try await nearest(partition, to: offset) {
            let since = snapshot.id.offset..<offset
            if since.isEmpty { return Base(id: partition, snapshot: snapshot) }
            if since.count <= max(limits.events, snapshot.documents) {
                let touched = try await stores.snapshots.keys(of: partition, since, after: nil, most: limits.touched + 1)
                if touched.count <= limits.touched { return Base(id: partition, snapshot: snapshot, touched: Set(touched)) }
            }
        }
        let run = SnapshotRun(definition, partition, store: stores.snapshots, log: stores.log)
        return Base(id: partition, snapshot: try await run.make(at: offset, for: .reconcile, keep: Self.kept).snapshot)
    }

    /// At the build's checkpoint, or below it: one of another build may be ahead.
    private func nearest(_ partition: PartitionID, to offset: Int64) async throws -> Snapshot? {
        let decisions = try await stores.snapshots.decisions(on: definition.build.model, partition)
        return try definition.nearest(of: try await stores.snapshots.snapshots(of: partition), to: offset, in: partition, decisions)
    }

    func check(_ partition: PartitionID, _ base: Snapshot?) -> DriftCheck {
        DriftCheck(
            definition: definition, partition: partition, base: base, store: stores.documents, snapshots: stores.snapshots, log: stores.log,
            leases: stores.leases, holder: stores.holder, logger: logger)
    }

    /// Goes along the report, and puts right what is wrong still.
    private func repair(_ findings: inout DriftFindings) async throws {
        var number: Int64 = 0
        while true {
            let page = try await stores.reports.drift(of: report, from: number, most: DriftCheck.mostKeys)
            guard !page.isEmpty else { break }
            number += Int64(page.count)
            for (partition, drift) in Dictionary(grouping: page, by: \.partition) {
                let keys = drift.compactMap { $0.id.asString.map { ExactString($0) } }.sorted()
                let check = check(partition, try await nearest(partition))
                findings.outcome.counts.repaired += Int64(try await check.check(keys, isRepair: true).count)
                let foreign = drift.map(\.id).filter { $0.asString == nil }
                if !foreign.isEmpty { findings.outcome.counts.repaired += Int64(try await check.remove(foreign)) }
            }
            // Half of the time is the projection's, which a repair makes begin its batch again.
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
