import Events
import Models
import Values

/// A model as the read API serves it. A class, as every lookup hands it from step to step.
public final class ReadModel: Sendable {
    public let name: String
    public let stream: String
    public let partitions: Int
    /// Without Millrace's own fields and the private ones.
    public let mask: FieldMask
    /// Of the mask, for the tags of answers.
    public let maskTag: String
    public let place: ReadPlace
    public let indexes: [DocumentIndex]
    /// What is known of its documents' fields, private ones among them: a schema by name.
    let properties: Document

    public init(_ model: Model, partitions: Int) {
        name = model.name
        stream = model.stream
        self.partitions = partitions
        mask = .without(StoredDocument.hiddenFields.map { [$0] } + model.privateFields.map(\.names))
        maskTag = String(mask.tag, radix: 36)
        place = model.reading.isFromPrimary ? .primary : .secondary(maxStaleness: model.reading.maxStaleness)
        indexes = model.indexes
        properties = DocumentSchema.properties(of: model)
    }

    private init(_ model: ReadModel, mask: FieldMask) {
        (name, stream, partitions, place) = (model.name, model.stream, model.partitions, model.place)
        (indexes, properties) = (model.indexes, model.properties)
        self.mask = mask
        maskTag = String(mask.tag, radix: 36)
    }

    /// The partition whose events make a document.
    public func partition(of id: String) -> PartitionID {
        PartitionID(stream: stream, number: Partitioning.partition(of: id.utf8, count: partitions))
    }

    public var allPartitions: [PartitionID] { (0..<partitions).map { PartitionID(stream: stream, number: $0) } }
}

extension ReadModel {
    /// With nothing but these paths and the id; nil for all.
    public func limited(to paths: [String]?) -> ReadModel {
        guard let paths else { return self }
        let shown = FieldMask.only([["_id"]] + paths.map { $0.split(separator: ".", omittingEmptySubsequences: false).map(String.init) })
        return ReadModel(self, mask: mask.intersection(shown))
    }

    /// Whether readers see a whole field.
    public func shows(_ path: String) -> Bool {
        var mask = mask
        for name in path.split(separator: ".", omittingEmptySubsequences: false) {
            // Where one element of a list is hidden, what is asked of all of them would tell of it.
            if case .fields(let fields, _) = mask, fields.contains(where: { $0.mask != .all && $0.name.allSatisfy { 48...57 ~= $0 } }) { return false }
            mask = mask[String(name)]
        }
        return mask == .all
    }
}
