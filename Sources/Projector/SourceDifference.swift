import Events
import Models
import Values

/// What the rows of one key would change of its document, each by itself: the same in two looks where nothing has moved.
struct SourceDifference: Hashable, Sendable {
    private(set) var digest = Digest.none

    /// nil where none of them would change it.
    var isNothing: Bool { digest == .none }

    /// Adds what one row makes of the document. False where it leaves it as it is.
    mutating func add(_ after: Document?, of before: Document?) -> Bool {
        guard after != before else { return false }
        var bytes: [UInt8] = []
        for word in [digest.low, digest.high] { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
        for document in [before, after] { bytes += document.map { [1] + BSON.encode($0) } ?? [0] }
        digest = Digest(of: bytes)
        return true
    }
}

/// What the rows of one key say, against its document. No I/O.
struct SourceVerdict: Sendable {
    var difference = SourceDifference()
    /// The events that would change the document by themselves.
    var events: [SourceEvent] = []
    let before: Document?
    /// After all of them, in order: rows that contradict each other end with the last one.
    private(set) var after: Document?

    /// Throws where a row's event cannot be taken, or cannot be taken twice.
    init(_ events: [SourceEvent], onto before: Document?, _ fold: any Folding, _ stream: StreamSettings) throws(Refusal) {
        self.before = before
        after = before
        for event in events {
            let alone = try event.fold(fold, onto: before, stream)
            after = try event.fold(fold, onto: after, stream)
            guard difference.add(alone, of: before) else { continue }
            self.events.append(event)
            // A correction may count twice: whoever pushes it can be killed before he knows that he has.
            guard try event.fold(fold, onto: alone, stream) == alone else {
                throw Refusal(.badOperand, "its event would change the document once more if it were taken twice, and so can correct none")
            }
        }
    }

    /// Whether it is drift, when the rows said this in an earlier look.
    func isDrift(_ earlier: SourceDifference) -> Bool { !difference.isNothing && difference == earlier && after != before }

    func drift(_ key: String, _ partition: PartitionID) -> Drift {
        var drift = Drift(partition: partition, id: .string(key), kind: after == nil ? .extra : before == nil ? .missing : .different, truth: .source)
        if let before, let after { drift.fields = Drift.fields(found: before, expected: after) }
        return drift
    }
}
