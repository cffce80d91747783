/// Where the rows of a source of truth come from.
public protocol TruthSource: Sendable {
    /// Keys that can be asked for at once; nil where all rows are read whatever is asked for.
    var mostIds: (count: Int, bytes: Int)? { get }

    /// Gives all rows, in pages, each a JSON object as text. What it throws says that there may be more.
    ///
    /// - Parameter ids: the keys that rows are wanted of; nil for all. It may give others as well.
    func read(_ ids: [String]?, _ take: ([[UInt8]]) async throws -> Void) async throws
}

public enum SourceRow {
    /// Rows that are read at once.
    public static let page = 1000
    /// What a row can have: its event must be one that a list takes.
    public static let mostBytes = 16 << 20
}

/// The lists that corrections are pushed onto.
public protocol CorrectionLists: Sendable {
    /// The list of a partition, and what must be complete for all that it has had to be applied.
    func token(of partition: Int) async throws -> ListCompleteness

    /// Appends elements to the list of a partition, in order. What fails may have been done in part, or be done still.
    func push(_ elements: [[UInt8]], to partition: Int) async throws
}
