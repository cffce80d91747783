import Events
import Values

/// What the log and the checkpoints of one partition count at one moment.
public struct PartitionReading: Hashable, Sendable {
    public var log = LogTotals()
    public var builds: [BuildID: ProjectionTotals] = [:]
    /// Builds that are stopped.
    public var stopped: [BuildID: Standstill] = [:]
    /// Those of the builds that readers saw at that moment; nil for all.
    public var live: Set<BuildID>?

    public init(
        log: LogTotals = LogTotals(), builds: [BuildID: ProjectionTotals] = [:], stopped: [BuildID: Standstill] = [:], live: Set<BuildID>? = nil
    ) {
        self.log = log
        self.builds = builds
        self.stopped = stopped
        self.live = live
    }
}

/// Where the last receipt of a partition ended. The next one begins there, and has the next number.
public struct LastReceipt: Hashable, Sendable {
    public var reading: PartitionReading
    public var number: Int64

    public init(reading: PartitionReading = PartitionReading(), number: Int64 = 0) {
        self.reading = reading
        self.number = number
    }
}

/// The difference of two readings: what happened in between. Its sums agree, whatever was killed meanwhile, because the
/// totals move in the same writes as what they count:
/// `received = logged + duplicates`, and for each model
/// `behindBefore + logged = applied + ignored + parked + held + behindAfter`.
public struct Receipt: Hashable, Sendable {
    public struct ModelSums: Hashable, Sendable {
        public var behindBefore: Int64 = 0
        /// What was logged in the model's own partitions: a receipt may cover several streams.
        public var logged: Int64 = 0
        public var behindAfter: Int64 = 0
        /// What the checkpoint counted in between.
        public var totals = ProjectionTotals()
        /// Where it is stopped: what is behind there is in `behindAfter`.
        public var stopped: [Standstill] = []
    }

    public var received: Int64 = 0
    public var logged: Int64 = 0
    public var duplicates: Int64 = 0
    public var undecodable: Int64 = 0
    public var seconds: Double = 0
    public var models: [String: ModelSums] = [:]

    public init(_ readings: [(before: PartitionReading, after: PartitionReading)], seconds: Double) {
        self.seconds = seconds
        for (before, after) in readings {
            received += after.log.received - before.log.received
            logged += after.log.logged - before.log.logged
            duplicates += after.log.duplicates - before.log.duplicates
            undecodable += after.log.undecodable - before.log.undecodable
            // Where readers went over to another build, the receipt is that one's: its totals were counted all the while.
            for (build, totals) in after.builds where after.live?.contains(build) ?? true {
                let earlier = before.builds[build] ?? ProjectionTotals()
                var sums = models[build.model] ?? ModelSums()
                sums.behindBefore += before.log.logged - earlier.logged
                sums.logged += after.log.logged - before.log.logged
                sums.behindAfter += after.log.logged - totals.logged
                sums.totals += totals - earlier
                if let stopped = after.stopped[build] { sums.stopped.append(stopped) }
                models[build.model] = sums
            }
        }
    }

    /// Events parked in any model.
    public var parked: Int64 { models.values.reduce(0) { $0 + $1.totals.parked } }

    /// Where models are stopped.
    public var stopped: [Standstill] { models.sorted { $0.key < $1.key }.flatMap(\.value.stopped) }

    /// Whether anything happened at all.
    public var isEmpty: Bool { received == 0 && models.values.allSatisfy { $0.totals == ProjectionTotals() } }

    /// The members that `drain --once --json` prints.
    public var document: Document {
        [
            "received": .int64(received), "logged": .int64(logged), "duplicates": .int64(duplicates), "undecodable": .int64(undecodable),
            "seconds": .double((seconds * 1000).rounded() / 1000),
            "models": .document(
                Document(
                    models.sorted { $0.key < $1.key }.map { name, sums in
                        Document.Field(
                            name,
                            [
                                "behindBefore": .int64(sums.behindBefore), "logged": .int64(sums.logged), "applied": .int64(sums.totals.applied),
                                "ignored": .int64(sums.totals.ignored),
                                "parked": .int64(sums.totals.parked), "held": .int64(sums.totals.held), "behindAfter": .int64(sums.behindAfter),
                                "inserted": .int64(sums.totals.inserted), "updated": .int64(sums.totals.updated), "deleted": .int64(sums.totals.deleted),
                                "unchanged": .int64(sums.totals.unchanged), "drift": .int64(sums.totals.drift),
                                "stopped": .array(sums.stopped.map { .document($0.document) }),
                            ]
                        )
                    }
                )
            ),
        ]
    }
}

extension Standstill {
    /// The members that commands print.
    public var document: Document {
        [
            "partition": .int64(Int64(partition.number)), "offset": .int64(offset), "eventId": eventId.map(Value.string) ?? .null,
            "eventType": type.map(Value.string) ?? .null, "key": key.map(Value.string) ?? .null, "problem": .string(refusal.problem.rawValue),
            "message": .string(refusal.message),
        ]
    }
}

extension ProjectionTotals {
    /// Every count, by the name it is stored and shown under.
    // A computed property: key paths are not Sendable, so that a stored one could not be shared.
    public static var counts: [(name: String, path: WritableKeyPath<ProjectionTotals, Int64>)] {
        [
            ("logged", \.logged), ("duplicates", \.duplicates), ("applied", \.applied), ("ignored", \.ignored), ("parked", \.parked), ("held", \.held),
            ("inserted", \.inserted), ("updated", \.updated), ("deleted", \.deleted), ("unchanged", \.unchanged), ("drift", \.drift),
        ]
    }

    static func += (left: inout ProjectionTotals, right: ProjectionTotals) {
        for (_, path) in counts { left[keyPath: path] += right[keyPath: path] }
    }

    static func - (left: ProjectionTotals, right: ProjectionTotals) -> ProjectionTotals {
        var difference = left
        for (_, path) in counts { difference[keyPath: path] -= right[keyPath: path] }
        return difference
    }
}
