import Definitions
import Events
import Models
import MongoStore
import Projector
import Schedules
import Values

/// A job as `jobs` prints it: what its file says, and what has become of it.
struct ShownJob {
    let definition: JobDefinition
    let state: JobState?
    /// Its next times, as far as they are known.
    let next: [Int64]

    /// A job that shows more than this many next times tells nothing new.
    private static let times = 3

    static func all(_ reader: Reader) async throws -> [ShownJob] {
        let states = try await reader.jobs.known()
        let now = try await reader.jobs.clock()
        return reader.configuration.jobs.map { ShownJob($0, states[$0.name], now: now) }
    }

    init(_ definition: JobDefinition, _ state: JobState?, now: Int64) {
        self.definition = definition
        self.state = state
        var next: [Int64] = []
        if let timetable = definition.timetable, state?.isPaused != true {
            if let retry = state?.retry { next.append(max(retry.at, now)) }
            var time = max(state?.handled ?? now, now)
            while next.count < Self.times, let slot = timetable.schedule.next(after: time), let due = timetable.due(after: time, of: definition.name) {
                next.append(due)
                time = slot
            }
        }
        self.next = Array(next.prefix(Self.times))
    }

    /// The last run was not good: bad until the next one that is.
    var isBad: Bool { state?.last.map { !$0.isGood } ?? false }

    private var word: String {
        if let running = state?.running { return "running on \(running.owner)" }
        if state?.isPaused ?? false { return "paused" }
        return isBad ? "bad" : "good"
    }

    var row: [String] {
        [
            definition.name, definition.kind.rawValue, definition.timetable?.text ?? "all the time", word,
            state?.last.map { DateTime.format(milliseconds: $0.ended) } ?? "-", state?.last?.verdict ?? "-",
            next.first.map { DateTime.format(milliseconds: $0) } ?? "-",
        ]
    }

    /// The members that `jobs` prints.
    var document: Document {
        [
            "job": .string(definition.name), "kind": .string(definition.kind.rawValue), "schedule": definition.timetable.map { .string($0.text) } ?? .null,
            "paused": .bool(state?.isPaused ?? false), "bad": .bool(isBad),
            "running": state?.running.map {
                ["run": .string($0.run), "owner": .string($0.owner), "started": .date($0.started), "attempt": .int64(Int64($0.attempt))]
            } ?? .null,
            "last": state?.last.map { ["run": .string($0.run), "ended": .date($0.ended), "outcome": .string($0.verdict)] } ?? .null,
            "next": .array(next.map(Value.date)),
            "skipped": ["overlap": .int64(state?.skipped.overlap ?? 0), "missed": .int64(state?.skipped.missed ?? 0)],
        ]
    }
}

extension JobDefinition {
    var kind: RunKind {
        switch work {
        case .drain: .drain
        case .bridge: .bridge
        case .command: .command
        case .reconcile: .reconcile
        case .snapshot: .snapshot
        case .rebuild: .rebuild
        case .prune: .prune
        }
    }
}

extension Timetable {
    fileprivate var text: String {
        switch schedule {
        case .every(let duration): "every \(Units.format(duration))"
        case .cron(let cron): "\(cron.text) \(cron.zone.name)"
        }
    }
}
