extension Value {
    /// The value at a path as an aggregation expression reads it: a name applied to an array is applied to each element
    /// that is a document, and what lacks it is left out.
    ///
    /// - Parameter start: the place of the first name that counts. An index costs less than a slice of the path.
    public func resolve(_ path: [String], from start: Int = 0) -> Value? {
        guard start < path.count else { return self }
        switch self {
        case .document(let document): return document[path[start]]?.resolve(path, from: start + 1)
        case .array(let elements):
            return .array(
                elements.compactMap { element in
                    if case .document = element { element.resolve(path, from: start) } else { nil }
                }
            )
        default: return nil
        }
    }
}
