import Events

/// Rows that are of no use: how many, and why, of the first of them.
struct RowRefusals: Sendable {
    private(set) var count: Int64 = 0
    private(set) var first: [Refusal] = []

    /// Refusals that are kept with what they say.
    private static let most = 5

    mutating func note(_ refusal: Refusal, _ row: String) {
        count += 1
        if first.count < Self.most { first.append(Refusal(refusal.problem, "\(row): \(refusal.message)")) }
    }
}
