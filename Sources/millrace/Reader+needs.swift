import Events
import MongoStore
import Projector

extension Reader {
    /// Who needs a partition's log, and from where on.
    func needs(of partition: PartitionID) async throws -> [PruneBound.Need] {
        let checkpoints = try await readings.checkpoints(of: partition)
        // A build that is there, and has taken nothing yet.
        let builds = try await catalog.pointers().values.flatMap(\.builds).map(\.build).filter { $0.stream == partition.stream }
        let untouched = builds.filter { build in !checkpoints.contains { $0.build == build.id } }
        let followers = try await followers.progress(of: partition.stream).filter { $0.partition == partition }
        return checkpoints.map { .init($0.offset, "the checkpoint of \($0.build)") }
            + untouched.map { .init($0.load(in: partition) ?? 0, "\($0.id), which has taken nothing yet") }
            + followers.map { .init($0.acknowledged, "who follows as \($0.name)") } + (try await snapshotNeeds(of: partition))
    }

    /// Where a reconcile, the next snapshot and `get --at` begin: without that, nobody could say any more whether the documents
    /// are right.
    private func snapshotNeeds(of partition: PartitionID) async throws -> [PruneBound.Need] {
        var needs: [PruneBound.Need] = []
        let known = try await snapshots.snapshots(of: partition)
        for build in builds.values where build.stream == partition.stream && build.isFoldable {
            let decisions = try await snapshots.decisions(on: build.id.model, partition)
            if let newest = try definition(of: build).definition.nearest(of: known, to: .max, in: partition, decisions) {
                needs.append(.init(newest.id.offset, "the newest snapshot of \(build.id.model)"))
            } else {
                needs.append(.init(0, "\(build.id.model), which has no snapshot: millrace snapshot makes one"))
            }
        }
        // Of those that readers can be sent back to, as far as they have one.
        for build in pointers.values.flatMap(\.projected) where build.stream == partition.stream && build.isFoldable && builds[build.id.model]?.id != build.id {
            let decisions = try await snapshots.decisions(on: build.id.model, partition)
            if let newest = try? definition(of: build).definition.nearest(of: known, to: .max, in: partition, decisions) {
                needs.append(.init(newest.id.offset, "the newest snapshot of \(build.id), which is kept"))
            }
        }
        return needs
    }
}
