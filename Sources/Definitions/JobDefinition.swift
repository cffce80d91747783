import Events

/// A job of the runner: one file of `jobs/`, which gives it its name.
public struct JobDefinition: Hashable, Sendable {
    public var name: String
    public var work: Work

    public enum Work: Hashable, Sendable {
        case drain(Drain)
    }

    /// Drains streams all the time.
    public struct Drain: Hashable, Sendable {
        /// Sorted; all streams where the file names none.
        public var streams: [String]
        /// How long to wait when there is nothing to do. There is no pause while there is.
        public var poll: Duration = .milliseconds(20)
        /// How often a receipt is closed, unless nothing moved.
        public var every: Duration = .seconds(60)

        public init(streams: [String]) { self.streams = streams }
    }

    public init(name: String, work: Work) {
        self.name = name
        self.work = work
    }

    /// Below, an idle worker keeps a core busy; above, nobody would call the documents fresh.
    public static let pollRange = Duration.milliseconds(1)...Duration.seconds(60)
    public static let everyRange = Duration.seconds(1)...Duration.seconds(86_400)
}
