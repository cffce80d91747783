/// Where receipts are kept.
public protocol RunStore: Sendable {
    func record(_ run: RunRecord) async throws

    /// What became of a run; nil where it has no receipt.
    func verdict(of run: String) async throws -> RunOutcome.Verdict?
}
