import Events
import Fixtures
import Models

@testable import Projector

/// Readers go over to another build while all else goes on: whoever switches may be killed at any call, and the next one goes
/// on with what he finds.
extension Simulation {
    var partition: PartitionID { PartitionID(stream: conditions.setting.stream.name, number: 0) }

    /// What a worker projects: what the pointer document says, where the model has one.
    func projected(_ number: Int, _ parts: Worker) -> ProjectedBuilds {
        guard let target = conditions.target?.build else { return ProjectedBuilds(parts.projections) }
        let others = conditions.setting.builds.map(\.build).filter { $0.model != target.model }.map { StoredBuild($0) }
        let store = FakeStore(world: world, worker: number)
        return ProjectedBuilds {
            (try await store.pointer(to: target.model)?.projected ?? []) + others
        } make: { build in
            conditions.builds.first { $0.build == build.id }.map { parts.projection(of: $0.build, $0.fold) }
        }
    }

    /// One after the other, each with nothing in memory, until readers see the target.
    func switchReaders(_ slot: Int) async {
        guard let target = conditions.target else { return }
        while let (number, _) = crew.join(slot) {
            let clock = SimulatedClock(schedule: schedule, worker: number)
            let ports = Ports(world, number, limit: conditions.setting.stream.maxEventBytes)
            let parts = Worker(number, world, conditions.setting, ports, clock: clock)
            let projection = parts.projection(of: target.build, target.fold)
            var store: any SwitchStore = ports.store
            if let mistake {
                store = SpoiledStore(base: store, world: world, worker: number, mistake: mistake, memory: SpoiledMemory(), target: target.build)
            }
            var settings = BuildSwitch.Settings()
            settings.clock = clock
            settings.random = Random(seed, round: 2000 + number)
            let switching = BuildSwitch(model: target.build.model, partitions: [partition], store: store, settings: settings, logger: .silent) { _, offsets in
                while try await projection.offset() ?? .max < offsets[partition] ?? 0 { _ = try await projection.turn([], tail: nil) }
            }
            var attempts = 0
            while true {
                do {
                    if try await go(target.build, projection, switching, store, "switch-\(number)-\(attempts)") { return }
                } catch is CancellationError {
                    // Killed: the next one goes on.
                    break
                } catch {
                    do { try await clock.sleep(for: .milliseconds(10)) } catch { break }
                }
                attempts += 1
            }
        }
    }

    /// One attempt. Returns whether readers see the target, and nothing is left to do.
    private func go(_ target: BuildID, _ projection: Projection, _ switching: BuildSwitch, _ store: any SwitchStore, _ id: String) async throws -> Bool {
        guard let pointer = try await store.pointer(to: target.model) else { return true }
        if let entry = pointer.entry { return try await switching.finish(entry) }
        if pointer.live == target { return true }
        while try await !projection.turn([], tail: nil) {}
        return try await switching.finish(try await switching.enter(target, keep: .seconds(1_000_000), id: id))
    }
}

extension StoredBuild {
    /// One whose definition nobody reads.
    init(_ id: BuildID) { self.init(id: id, stream: "test", source: "", foldHash: "", foldVersion: Models.foldVersion) }
}

extension World {
    /// Readers see the build, if there is one to go to, and the switch is closed.
    func isSwitched(to target: BuildID?) -> Bool {
        guard let target, let pointer = mongo.pointers[target.model] else { return true }
        return pointer.live == target && pointer.entry == nil
    }
}
