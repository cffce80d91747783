import Events
import Models
import Values

/// What the files of a configuration say and everything that is wrong with them: what `check` prints.
public struct ConfigurationCheck: Sendable {
    public var problems: [ConfigurationProblem]
    /// What could be read: complete, and its hashes of use, only when there are no problems.
    public var summary: ConfigurationSummary
    /// The configuration, when there are no problems.
    public var configuration: Configuration?
}

/// A configuration in short.
public struct ConfigurationSummary: Hashable, Sendable {
    public var streams: [Stream]
    public var models: [Model]
    public var jobs: [String]

    public struct Stream: Hashable, Sendable {
        public var name: String
        public var list: String
        public var partitions: Int
    }

    public struct Model: Hashable, Sendable {
        public var name: String
        public var stream: String
        public var `class`: ModelClass
        /// Sorted.
        public var eventTypes: [String]
        public var foldHash: String
    }

    init(_ configuration: Configuration) {
        streams = configuration.streams.map { Stream(name: $0.name, list: $0.list, partitions: $0.partitions) }
        models = configuration.models.map { model in
            Model(name: model.name, stream: model.stream, class: .keyed, eventTypes: model.fold.effects.keys.sorted().map(\.text), foldHash: model.foldHash)
        }
        jobs = configuration.jobs.map(\.name)
    }
}

/// Which documents a model's events touch.
public enum ModelClass: String, Hashable, Sendable {
    /// Only the document of the event's own key.
    case keyed
}
