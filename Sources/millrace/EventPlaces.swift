import Events

/// Positions that somebody gave with --after: one for each partition that is not to begin at its start.
struct EventPlaces {
    private let positions: [PartitionID: Position]

    init(_ texts: [String], of stream: String, incarnation: String) throws(Refusal) {
        var positions: [PartitionID: Position] = [:]
        for text in texts {
            guard let position = Position(text), position.partition.stream == stream else {
                throw Refusal(.badInput, "--after \(text) is not a position of \(stream): take one that millrace events printed")
            }
            guard position.incarnation == incarnation else {
                throw Refusal(.badInput, "--after \(text) is a position in another log: this one is \(incarnation)")
            }
            guard positions[position.partition] == nil else { throw Refusal(.badInput, "--after is given twice for \(position.partition)") }
            positions[position.partition] = position
        }
        self.positions = positions
    }

    subscript(partition: PartitionID) -> Position? { positions[partition] }

    /// The partitions that are named.
    var partitions: some Collection<PartitionID> { positions.keys }
}

extension Position {
    /// The offset after it. Throws a `Refusal` where the log does not go that far.
    func next(below tail: Int64) throws(Refusal) -> Int64 {
        guard offset < tail else {
            throw Refusal(.badInput, "--after \(self) is beyond the log's end \(tail): was it set back to an older state?")
        }
        return offset + 1
    }
}
