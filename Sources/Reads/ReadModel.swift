import Events
import Models
import Values

/// A model as the read API serves it.
public struct ReadModel: Sendable {
    public var name: String
    public var stream: String
    public var partitions: Int
    /// Without Millrace's own fields and the private ones.
    public let mask: FieldMask
    /// Of the mask, for the tags of answers.
    public let maskTag: String
    public var place: ReadPlace
    public var indexes: [DocumentIndex]

    public init(_ model: Model, partitions: Int) {
        name = model.name
        stream = model.stream
        self.partitions = partitions
        mask = .without(StoredDocument.hiddenFields.map { [$0] } + model.privateFields.map(\.names))
        maskTag = String(mask.tag, radix: 36)
        place = model.reading.isFromPrimary ? .primary : .secondary(maxStaleness: model.reading.maxStaleness)
        indexes = model.indexes
    }

    /// The partition whose events make a document.
    public func partition(of id: String) -> PartitionID {
        PartitionID(stream: stream, number: Partitioning.partition(of: id.utf8, count: partitions))
    }

    public var allPartitions: [PartitionID] { (0..<partitions).map { PartitionID(stream: stream, number: $0) } }
}

extension ReadModel {
    /// Whether readers see a whole field.
    public func shows(_ path: String) -> Bool {
        path.split(separator: ".", omittingEmptySubsequences: false).reduce(mask) { $0[String($1)] } == .all
    }
}
