import Events
import Logging
import Projector
import Schedules
import ServiceLifecycle
import Synchronization

/// Runs jobs: some all the time, the others when their timetables say so, unless they are paused.
public final class JobRunner: Service {
    private let office: JobOffice
    private let jobs: Mutex<[Job]>
    private let stop = StopSignal()
    /// What keeps a job from working at all.
    private let failure = Mutex<(any Error)?>(nil)
    private let logger: Logger

    /// How often the states of the jobs are read, and with that how soon a pause or a resume is noticed.
    private static let look = Duration.seconds(1)

    public init(_ jobs: [Job], _ office: JobOffice, logger: Logger) {
        self.jobs = Mutex(jobs)
        self.office = office
        self.logger = logger
    }

    /// Takes other jobs from now on. Runs that are under way go on to their end.
    public func replace(_ jobs: [Job]) { self.jobs.withLock { $0 = jobs } }

    /// Something that is under way.
    private final class Undertaking: Sendable {
        let revision: Int
        let isContinuous: Bool
        let stop = StopSignal()
        let isOver = StopSignal()

        init(_ job: Job) {
            revision = job.revision
            isContinuous = if case .continuous = job.work { true } else { false }
        }
    }

    /// Runs until it is asked to stop, and throws what keeps a job from working at all.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                var underWay: [String: Undertaking] = [:]
                while !stop.isRequested, !Task.isCancelled {
                    let now = jobs.withLock(\.self)
                    for (job, undertaking, work) in await turn(now, &underWay) {
                        underWay[job] = undertaking
                        group.addTask {
                            do { try await work() } catch { self.failure.withLock { $0 = $0 ?? error } }
                            undertaking.isOver.request()
                        }
                    }
                    if failure.withLock({ $0 != nil }) { break }
                    await rest()
                }
                for undertaking in underWay.values { undertaking.stop.request() }
                await group.waitForAll()
            }
        } onGracefulShutdown: {
            self.stop.request()
        }
        if let error = failure.withLock(\.self) { throw error }
    }

    private typealias Beginning = (job: String, undertaking: Undertaking, work: @Sendable () async throws -> Void)

    /// Stops what is to be stopped, and returns what is to be begun.
    private func turn(_ jobs: [Job], _ underWay: inout [String: Undertaking]) async -> [Beginning] {
        underWay = underWay.filter { !$0.value.isOver.isRequested }
        let (states, now): ([String: JobState], Int64)
        do {
            (states, now) = try await office.store.states(of: jobs.map(\.name))
        } catch {
            // What is under way goes on.
            logger.warning("the states of the jobs could not be read; it is tried again", metadata: ["error": "\(error)"])
            return []
        }
        let names = Set(jobs.map(\.name))
        for (name, undertaking) in underWay where undertaking.isContinuous && !names.contains(name) { undertaking.stop.request() }
        var beginnings: [Beginning] = []
        for job in jobs {
            let state = states[job.name] ?? JobState(handled: now)
            switch job.work {
            case .continuous(let work):
                if let undertaking = underWay[job.name] {
                    if state.isPaused || undertaking.revision != job.revision { undertaking.stop.request() }
                } else if !state.isPaused {
                    let undertaking = Undertaking(job)
                    beginnings.append((job.name, undertaking, { try await work.run(until: undertaking.stop) }))
                }
            case .scheduled(let timetable, let work):
                guard underWay[job.name] == nil else { continue }
                let run = BatchRun(job.name, timetable, work, office, logger: logger)
                let undertaking = Undertaking(job)
                switch JobTurn.next(of: job.name, timetable, state, now: now) {
                case .wait: break
                case .watch: beginnings.append((job.name, undertaking, attempt(job.name) { try await run.recover(from: state) }))
                case .run(let number):
                    beginnings.append(
                        (job.name, undertaking, attempt(job.name) { _ = try await run.run(attempt: number, from: state, until: undertaking.stop) }))
                case .skip:
                    let store = office.store
                    logger.warning("runs were missed, and are not made up for", metadata: ["job": "\(job.name)"])
                    beginnings.append((job.name, undertaking, attempt(job.name) { _ = try await store.skip(job.name, from: state, now: now) }))
                }
            }
        }
        return beginnings
    }

    /// What goes wrong with one job keeps no other from running.
    private func attempt(_ job: String, _ body: @Sendable @escaping () async throws -> Void) -> @Sendable () async -> Void {
        { [logger] in
            do {
                try await body()
            } catch let refusal as Refusal where refusal.problem == .leaseHeld {
                // Another runner is at it.
            } catch {
                logger.error("a job could not be run; it is tried again", metadata: ["job": "\(job)", "error": "\(error)"])
            }
        }
    }

    private func rest() async {
        let end = ContinuousClock.now + Self.look
        // Short steps, so that a stop is not slept through.
        while !stop.isRequested, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(50)) }
    }
}
