import Events
import Health
import MongoStore
import Projector
import Values

// Full batches: what rebuilds and reconciles have come to, read from what they leave in MongoDB.
extension RuntimeHealth {
    func addRebuild(_ pointer: ModelPointer, to exposition: inout Exposition) async throws {
        func count(_ isWanted: (KeptBuild.State) -> Bool) -> Double { Double(pointer.builds.count { isWanted($0.state) }) }
        let counts = [
            ("building", count { $0 == .building }), ("live", count { $0 == .live }), ("kept", count(\.isKept)), ("dropping", count { $0 == .dropping }),
        ]
        for (state, count) in counts { exposition.add(.builds, ["model": pointer.model, "state": state], count) }
        var (folded, done, whole) = (Int64(0), Int64(0), Int64(0))
        let building = pointer.builds.last { $0.state == .building }?.build
        if let building {
            for partition in partitions where partition.stream == building.stream {
                let checkpoint = try await runtime.watched.checkpoints(of: partition).first { $0.build == building.id }
                folded += checkpoint?.totals.logged ?? 0
                done += checkpoint?.offset ?? 0
                whole += try await runtime.watched.tail(of: partition).offset
            }
        }
        // Nothing but a switch makes it whole.
        let ratio = building == nil ? 1 : min(Self.mostUnderWay, Double(done) / Double(max(1, whole)))
        exposition.add(.rebuildEvents, ["model": pointer.model], Double(folded))
        exposition.add(.rebuildProgress, ["model": pointer.model], ratio)
    }

    private static let mostUnderWay = 0.999

    func addReconcile(of model: String, to exposition: inout Exposition) async throws {
        var (report, isTold) = (try await runtime.reports.newest(on: model), false)
        guard report != nil else { return }
        var clean = 0.0
        while let (id, head) = report, clean == 0 {
            let outcome = head["outcome"]?.asString
            // One that is under way, or was killed, has nothing to tell.
            if !isTold, let outcome, outcome != "running" {
                isTold = true
                add(head, of: model, to: &exposition)
            }
            if outcome == "clean" { clean = Double(id.began ?? 0) / 1000 }
            report = try await runtime.reports.newest(on: model, before: id)
        }
        exposition.add(.reconcileClean, ["model": model], clean)
    }

    private func add(_ head: Document, of model: String, to exposition: inout Exposition) {
        func count(_ name: String) -> Double { Double(head[name]?.asInteger ?? 0) }
        exposition.add(.reconciled, ["model": model], count("documents"))
        for kind in Drift.Kind.allCases { exposition.add(.reconcileDrift, ["model": model, "kind": kind.rawValue], count(kind.rawValue)) }
        exposition.add(.reconcileRepaired, ["model": model], count("repaired"))
        let drifted = Drift.Kind.allCases.reduce(0) { $0 + count($1.rawValue) }
        exposition.add(.reconcileRatio, ["model": model], drifted / max(1, count("documents")))
    }
}

extension DriftReportID {
    /// When it began: milliseconds since 1970.
    fileprivate var began: Int64? { run.split(separator: "/").first.flatMap { DateTime.parse(String($0)) } }
}
