import Events
import Projector
import Values

/// Which dead letters are meant.
public struct LetterFilter: Hashable, Sendable {
    /// Where they are looked for.
    public var places: [Place]
    /// The builds that they are of; nil for all, elements that are no events among them.
    public var builds: [BuildID]?
    /// Builds that they are not of.
    public var without: [BuildID] = []
    public var problem: String?
    public var type: String?
    public var key: String?
    /// Those that were dropped, and no others; else those that were not.
    public var isDropped = false

    /// A stretch of a partition.
    public struct Place: Hashable, Sendable {
        public var partition: PartitionID
        public var offsets: Range<Int64>

        public init(_ partition: PartitionID, _ offsets: Range<Int64> = 0..<Int64.max) {
            self.partition = partition
            self.offsets = offsets
        }
    }

    public init(places: [Place]) { self.places = places }

    func query(_ place: Place) -> Document {
        var query = DeadLetterDocument.place(place.partition, place.offsets)
        if let builds {
            let builds = builds.filter { !without.contains($0) }.map(DeadLetterDocument.build)
            query.append("_id.b", builds.count == 1 ? builds[0] : ["$in": .array(builds)])
        } else if !without.isEmpty {
            query.append("_id.b", ["$nin": .array(without.map(DeadLetterDocument.build))])
        }
        for (name, value) in [("problem", problem), ("type", type), ("key", key)] {
            if let value { query.append(name, .string(value)) }
        }
        query.append("decision", isDropped ? .string(Decision.dropped.rawValue) : ["$ne": .string(Decision.dropped.rawValue)])
        return query
    }
}

/// Dead letters of one build in one stream that have the same problem.
public struct LetterGroup: Hashable, Sendable {
    public var problem: Problem
    public var build: BuildID?
    public var count: Int64
    /// The first and the last by the time of logging; the first is the example.
    public var first: DeadLetter
    public var last: DeadLetter
}
