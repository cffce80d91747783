import ArgumentParser
import Definitions
import Events
import Health
import Jobs
import Models
import MongoStore
import Projector
import ReadAPI
import Schedules

/// What the health service says of a runner: read from the servers when it is asked.
struct RuntimeHealth: HealthSource {
    let runtime: Runtime
    let batches: BatchMetrics
    /// Where it is served too.
    let api: ReadService?

    /// How old the knowledge of the pointer documents may be.
    private static let pointerAge = Duration.seconds(1)

    var partitions: [PartitionID] { runtime.partitions(of: []) }

    func checks() async -> [HealthCheck] {
        let mongodb = await check("mongodb") { _ = try await runtime.office.store.clock() }
        let redis = await check("redis") { if let first = partitions.first { _ = try await runtime.waiting(in: first) } }
        return [mongodb, redis]
    }

    private func check(_ name: String, _ question: () async throws -> Void) async -> HealthCheck {
        do {
            try await question()
            return HealthCheck(name)
        } catch {
            return HealthCheck(name, fault: "\(error)")
        }
    }

    func exposition() async throws -> Exposition {
        var exposition = Exposition()
        exposition.add(.buildInfo, ["version": Millrace.configuration.version], 1)
        let checks = await checks()
        for check in checks { exposition.add(.up, ["server": check.name], check.fault == nil ? 1 : 0) }
        batches.add(to: &exposition)
        api?.addMetrics(to: &exposition)
        let connections = runtime.connections
        exposition.add(.connections, ["state": "used"], Double(connections.used))
        exposition.add(.connections, ["state": "free"], Double(connections.most - connections.used))
        // Without the servers there is nothing more to say, and that is worth being told.
        guard checks.allSatisfy({ $0.fault == nil }) else { return exposition }
        for stream in runtime.configuration.streams { try await add(stream, to: &exposition) }
        let pointers = try await runtime.builds.pointers(within: Self.pointerAge)
        for build in pointers.compactMap(\.liveBuild) { try await add(build, to: &exposition) }
        exposition.add(.deadLetters, [:], Double(try await runtime.watched.deadLetters(of: pointers.map(\.live))))
        for pointer in pointers {
            try await addRebuild(pointer, to: &exposition)
            try await addReconcile(of: pointer.model, to: &exposition)
        }
        try await addJobs(to: &exposition)
        return exposition
    }

    private func add(_ stream: StreamSettings, to exposition: inout Exposition) async throws {
        var (state, totals) = (BufferState(waiting: 0, inSegment: 0, oversize: 0, oldest: nil), LogTotals())
        var oldest = 0.0
        for partition in partitions where partition.stream == stream.name {
            let waiting = try await runtime.waiting(in: partition)
            state.waiting += waiting.waiting
            state.inSegment += waiting.inSegment
            oldest = max(oldest, stream.age(of: waiting.oldest) ?? 0)
            let tail = try await runtime.watched.tail(of: partition).totals
            totals.received += tail.received
            totals.duplicates += tail.duplicates
            totals.undecodable += tail.undecodable
        }
        exposition.add(.waiting, ["stream": stream.name], Double(state.waiting))
        exposition.add(.inSegment, ["stream": stream.name], Double(state.inSegment))
        exposition.add(.oldestAge, ["stream": stream.name], oldest)
        exposition.add(.received, ["stream": stream.name], Double(totals.received))
        exposition.add(.duplicates, ["stream": stream.name], Double(totals.duplicates))
        exposition.add(.undecodable, ["stream": stream.name], Double(totals.undecodable))
    }

    private func add(_ build: StoredBuild, to exposition: inout Exposition) async throws {
        var (sums, lag, age, stopped) = (ProjectionTotals(), Int64(0), 0.0, 0)
        for partition in partitions where partition.stream == build.stream {
            let checkpoint = try await runtime.watched.checkpoints(of: partition).first { $0.build == build.id }
            let tail = try await runtime.watched.tail(of: partition)
            for (_, path) in ProjectionTotals.counts { sums[keyPath: path] += checkpoint?.totals[keyPath: path] ?? 0 }
            lag += max(0, tail.totals.logged - (checkpoint?.totals.logged ?? 0))
            if checkpoint?.stopped != nil { stopped += 1 }
            let offset = checkpoint?.offset ?? 0
            if offset < tail.offset, let at = try await runtime.watched.logged(at: offset, of: partition) {
                age = max(age, Double(tail.now - at) / 1000)
            }
        }
        let model = build.id.model
        for (result, count) in [("applied", sums.applied), ("ignored", sums.ignored), ("parked", sums.parked), ("held", sums.held)] {
            exposition.add(.folded, ["model": model, "result": result], Double(count))
        }
        for (action, count) in [("insert", sums.inserted), ("update", sums.updated), ("delete", sums.deleted), ("unchanged", sums.unchanged)] {
            exposition.add(.written, ["model": model, "action": action], Double(count))
        }
        exposition.add(.drifted, ["model": model], Double(sums.drift))
        exposition.add(.lag, ["model": model], Double(lag))
        exposition.add(.lagAge, ["model": model], age)
        exposition.add(.caughtUp, ["model": model], lag == 0 ? 1 : 0)
        exposition.add(.stopped, ["model": model], Double(stopped))
    }

    private func addJobs(to exposition: inout Exposition) async throws {
        let jobs = runtime.configuration.jobs
        let (states, now) = try await runtime.office.store.states(of: jobs.map(\.name))
        for job in jobs {
            guard let state = states[job.name] else { continue }
            exposition.add(.jobPaused, ["job": job.name], state.isPaused ? 1 : 0)
            // What runs all the time has no runs.
            guard job.timetable != nil else { continue }
            exposition.add(.jobRunning, ["job": job.name], state.running == nil ? 0 : 1)
            exposition.add(.jobBad, ["job": job.name], state.last.map(\.isGood) ?? true ? 0 : 1)
            if let last = state.last { exposition.add(.jobLastRun, ["job": job.name], Double(last.ended) / 1000) }
            if let next = ShownJob(job, state, now: now).next.first { exposition.add(.jobNextRun, ["job": job.name], Double(next) / 1000) }
            exposition.add(.jobSkipped, ["job": job.name, "reason": "overlap"], Double(state.skipped.overlap))
            exposition.add(.jobSkipped, ["job": job.name, "reason": "missed"], Double(state.skipped.missed))
        }
    }
}
