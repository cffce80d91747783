import Schedules

/// A job as the runner takes it.
public struct Job: Sendable {
    public var name: String
    /// Another one when its definition was changed: what runs all the time is begun anew then.
    public var revision: Int
    public var work: Work

    public enum Work: Sendable {
        case continuous(any ContinuousWork)
        case scheduled(Timetable, any BatchWork)
    }

    public init(name: String, revision: Int = 0, work: Work) {
        self.name = name
        self.revision = revision
        self.work = work
    }
}
