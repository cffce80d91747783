/// What reads bytes that others wrote. Each input is read, and what must hold of any input is checked; a crash is a
/// finding too.
enum FuzzTarget: String, CaseIterable, Sendable {
    /// Elements of a list, one a line.
    case events
    /// A document of MongoDB.
    case bson
    /// A chunk of the log, or a part of one.
    case chunk
    /// A model, a configuration or a job.
    case yaml

    /// What is wrong, if anything.
    func check(_ input: [UInt8]) -> String? {
        switch self {
        case .events: EventsTarget.check(input)
        case .bson: BSONTarget.check(input)
        case .chunk: ChunkTarget.check(input)
        case .yaml: YAMLTarget.check(input)
        }
    }
}
