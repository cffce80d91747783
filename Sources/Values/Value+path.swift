extension Value {
    /// The value at a path as an aggregation expression reads it: a name applied to an array is applied to each element
    /// that is a document, and what lacks it is left out.
    public func resolve(_ path: ArraySlice<String>) -> Value? {
        guard let name = path.first else { return self }
        switch self {
        case .document(let document): return document[name]?.resolve(path.dropFirst())
        case .array(let elements):
            return .array(
                elements.compactMap { element in
                    if case .document = element { element.resolve(path) } else { nil }
                }
            )
        default: return nil
        }
    }
}
