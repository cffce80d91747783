import Events
import Models

/// Where a build with `onError: stop` has stopped in a partition, and why: no event from there on has taken effect.
///
/// It is kept with the checkpoint for whoever looks. The projection itself does not believe it: it folds the event again.
public struct Standstill: Hashable, Sendable, CustomStringConvertible {
    public var build: BuildID
    public var partition: PartitionID
    public var offset: Int64
    public var eventId: String?
    public var type: String?
    public var key: String?
    public var refusal: Refusal

    public init(build: BuildID, partition: PartitionID, offset: Int64, eventId: String?, type: String?, key: String?, refusal: Refusal) {
        self.build = build
        self.partition = partition
        self.offset = offset
        self.eventId = eventId
        self.type = type
        self.key = key
        self.refusal = refusal
    }

    public var description: String {
        "\(build) is stopped at \(partition)@\(offset), the event \(eventId ?? "-") (\(type ?? "-")) of key \(key ?? "-"): \(refusal); nothing from there "
            + "on is applied: set onError to skip or hold, or correct the model and rebuild it"
    }
}
