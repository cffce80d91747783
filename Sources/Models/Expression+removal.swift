extension Expression {
    /// What `$$REMOVE` reads: a variable that no operator can name, and that is always missing.
    public static let removal = Expression.variable(name: "REMOVE", path: [])

    /// Whether its value may be `$$REMOVE`, by itself or as what a condition chooses. That it is missing is then meant.
    public var mayRemove: Bool {
        if self == .removal { return true }
        guard case .apply(let application) = self else { return false }
        let arguments = application.arguments
        let results: [Expression?] =
            switch application.op.name {
            case "$cond": Array(arguments.dropFirst())
            case "$ifNull", "$let": arguments.suffix(1)
            // case, then, case, then, …, default
            case "$switch": arguments.indices.filter { $0 % 2 == 1 || $0 == arguments.count - 1 }.map { arguments[$0] }
            default: []
            }
        return results.contains { $0?.mayRemove ?? false }
    }
}
