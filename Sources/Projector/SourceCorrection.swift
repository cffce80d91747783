import Events
import Models
import Values

/// The events that correct one document.
struct SourceCorrection: Sendable {
    var partition: PartitionID
    var elements: [[UInt8]]

    var bytes: Int { elements.reduce(0) { $0 + $1.count } }

    /// The same row corrects the same state of a document with the same id, so that a correction that is pushed once more, by whoever
    /// did not know that it was, is a duplicate; another state is corrected under another id.
    ///
    /// - Parameter last: the offset of the last event that the document comes of; nil for none.
    init(_ events: [SourceEvent], _ key: String, _ partition: PartitionID, _ build: BuildID, last: Int64?) {
        self.partition = partition
        elements = events.map { event in
            let name: Document = ["model": .string(build.model), "key": .string(key), "last": .int64(last ?? -1), "event": .document(event.fields)]
            return event.element(id: "\(RowMapping.origin)/\(Digest(of: BSON.encode(name)).hex)")
        }
    }
}
