import Events

/// Which dead letter it is. As text `product@1/product/0@17`: build, stream, partition and offset; `product/0@17` for an
/// element that is no event, which belongs to no build.
public struct DeadLetterID: Hashable, Sendable, CustomStringConvertible {
    public var build: BuildID?
    public var partition: PartitionID
    public var offset: Int64

    public init(build: BuildID?, partition: PartitionID, offset: Int64) {
        self.build = build
        self.partition = partition
        self.offset = offset
    }

    /// Reads what `description` gives; nil for anything else.
    public init?(_ text: String) {
        var parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var build: BuildID?
        if parts.count == 3 {
            build = BuildID(parts.removeFirst())
            if build == nil { return nil }
        }
        guard parts.count == 2 else { return nil }
        let place = parts[1].split(separator: "@", omittingEmptySubsequences: false)
        guard place.count == 2, let number = Int(place[0]), let offset = Int64(place[1]), number >= 0, offset >= 0, !parts[0].isEmpty else { return nil }
        self.init(build: build, partition: PartitionID(stream: parts[0], number: number), offset: offset)
        guard description == text else { return nil }
    }

    public var description: String { "\(build.map { "\($0)/" } ?? "")\(partition)@\(offset)" }
}

extension DeadLetter {
    public var id: DeadLetterID { DeadLetterID(build: build, partition: partition, offset: offset) }
}
