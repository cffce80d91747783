import Events
import Values

/// What one event may make of a document; what goes beyond parks it. Documents' bytes and levels have limits of their
/// own, `Model.maximumDocumentSize` and `BSON.maximumDepth`.
public enum Limits {
    /// Elements of one array that operators add to.
    public static let arrayLength = 100_000
}

extension Action {
    func checkLength(of elements: [Value], _ site: Site) throws(Refusal) {
        guard elements.count <= Limits.arrayLength else {
            throw Refusal(.arrayTooLong, "\(name) \(site.path): the array would have \(elements.count) elements, above the limit of \(Limits.arrayLength)")
        }
    }
}
