import Events
import Models
import Values

/// A document that is not what its events make it.
public struct Drift: Sendable, Equatable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// It is not stored.
        case missing
        /// It is stored, and no events make it.
        case extra
        case different
    }

    /// What it differs from.
    public enum Truth: String, Hashable, Sendable, CaseIterable {
        /// The fold of its events.
        case log
        /// What its model's source of truth says.
        case source
    }

    /// A field that is not what it should be; nil where there is none.
    public struct Field: Sendable, Equatable {
        public var name: String
        public var found: Value?
        public var expected: Value?

        public init(name: String, found: Value?, expected: Value?) {
            self.name = name
            self.found = found
            self.expected = expected
        }
    }

    public var partition: PartitionID
    public var truth = Truth.log
    /// Its `_id`: only what somebody else wrote has one that is no string.
    public var id: Value
    public var kind: Kind
    /// Of a document that is different, the first of them.
    public var fields: [Field]

    public init(partition: PartitionID, id: Value, kind: Kind, fields: [Field] = [], truth: Truth = .log) {
        self.partition = partition
        self.id = id
        self.kind = kind
        self.fields = fields
        self.truth = truth
    }

    /// More fields tell nobody more.
    private static let mostFields = 50
    /// The same fields, of the same values, in another order or written in another way.
    public static let orderOfFields = "(order)"

    /// What is wrong with a stored document; nil where nothing is.
    ///
    /// - Parameters:
    ///   - found: the document as it is stored.
    ///   - wanted: as the events make it; nil where they make none, or it has expired.
    ///   - time: the checkpoint's: what has expired by then may be removed or not.
    static func of(_ key: ExactString, _ partition: PartitionID, found: [UInt8]?, wanted: StoredDocument?, at time: Int64) throws -> Drift? {
        let document = try found.map { try Document(bson: $0) }
        let isGone = document.flatMap(StoredDocument.init)?.isExpired(at: time) ?? (document == nil)
        if isGone, wanted == nil { return nil }
        let expected = wanted?.bson
        if !isGone, found == expected { return nil }
        var drift = Drift(partition: partition, id: .string(key.text), kind: expected == nil ? .extra : document == nil ? .missing : .different)
        if let document, let expected { drift.fields = fields(found: document, expected: try Document(bson: expected)) }
        return drift
    }

    static func fields(found: Document, expected: Document) -> [Field] {
        var fields: [Field] = []
        for field in expected.fields {
            let other = found[field.name]
            if other != field.value { fields.append(Field(name: field.name, found: other, expected: field.value)) }
        }
        for field in found.fields where expected[field.name] == nil { fields.append(Field(name: field.name, found: field.value, expected: nil)) }
        if fields.isEmpty { fields.append(Field(name: orderOfFields, found: nil, expected: nil)) }
        return Array(fields.prefix(mostFields))
    }
}

/// How many documents were compared, and what was found.
public struct DriftCounts: Hashable, Sendable {
    public var documents: Int64 = 0
    public var missing: Int64 = 0
    public var extra: Int64 = 0
    public var different: Int64 = 0
    public var repaired: Int64 = 0

    public init() {}

    public var drifted: Int64 { missing + extra + different }

    mutating func count(_ drift: Drift) {
        switch drift.kind {
        case .missing: missing += 1
        case .extra: extra += 1
        case .different: different += 1
        }
    }
}

/// Where what a reconcile finds is kept: reports of a bounded number and size.
public protocol DriftReports: Sendable {
    /// Removes what a report has, so that a run can begin again.
    func clear(_ report: DriftReportID) async throws

    /// Adds to the report of a run.
    func add(_ drift: [Drift], from number: Int64, to report: DriftReportID) async throws

    /// What a report has from a number on, in order: at most so many, none at the end.
    func drift(of report: DriftReportID, from number: Int64, most: Int) async throws -> [Drift]
}

/// A run's report on a model.
public struct DriftReportID: Hashable, Sendable {
    public var model: String
    /// Later ones sort behind earlier ones.
    public var run: String

    public init(model: String, run: String) {
        self.model = model
        self.run = run
    }
}
