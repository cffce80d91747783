import Definitions
import Events
import Jobs
import Schedules

/// The jobs of a runner, and how they come from their files.
struct JobList {
    /// Only these, unless there are none.
    let names: [String]
    private(set) var jobs: [Job] = []
    private var definitions: [String: JobDefinition] = [:]
    private var owner: String?
    private var revision = 0

    init(names: [String]) { self.names = names }

    /// Takes jobs from now on; those that are what they were, on the runtime they are on, stay as they are. Throws a `Refusal`
    /// for one that cannot be run here, and then nothing is taken.
    mutating func take(_ definitions: [JobDefinition], on runtime: Runtime) async throws {
        revision += 1
        var taken: [Job] = []
        for definition in definitions where names.isEmpty || names.contains(definition.name) {
            if owner == runtime.owner, self.definitions[definition.name] == definition, let known = jobs.first(where: { $0.name == definition.name }) {
                taken.append(known)
            } else {
                taken.append(Job(name: definition.name, revision: revision, work: try await runtime.work(of: definition)))
            }
        }
        (jobs, owner) = (taken, runtime.owner)
        self.definitions = Dictionary(definitions.map { ($0.name, $0) }) { $1 }
    }
}

extension Runtime {
    /// What a job does. Throws a `Refusal` for one that cannot be run here.
    func work(of job: JobDefinition) async throws -> Job.Work {
        switch job.work {
        case .drain(let drain): .continuous(self.drain(drain, name: job.name))
        case .bridge(let bridge): .continuous(try await self.bridge(bridge, name: job.name))
        case .command(let command): try .scheduled(job.required(), CommandWork(command.words))
        case .reconcile(let reconcile): try .scheduled(job.required(), ReconcileWork(reconcile, configuration))
        case .snapshot(let snapshot): try .scheduled(job.required(), SnapshotWork(snapshot, in: job.required().schedule.zone, configuration))
        case .rebuild(let rebuild): try .scheduled(job.required(), RebuildWork(rebuild, configuration))
        case .prune(let prune): try .scheduled(job.required(), PruneWork(prune, configuration))
        }
    }
}

extension JobDefinition {
    /// The reader of jobs sees to it that what has an end has a timetable.
    fileprivate func required() throws(Refusal) -> Timetable {
        guard let timetable else { throw Refusal(.badConfiguration, "the job \(name) does not say when it runs") }
        return timetable
    }
}
