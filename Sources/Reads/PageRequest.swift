import Models
import Values

/// A page of documents in the order of one index, as MongoDB is asked for it: between two places in the index, so that it goes
/// on at exactly one place whatever the types of the values are.
public struct PageRequest: Sendable {
    public var index: DocumentIndex
    public var isBackward: Bool
    public var conditions: [PageQuery.Condition]
    /// Where it begins: what the last document of the page before has in the index.
    public var after: [Value]?
    /// Documents that are shown.
    public var limit: Int
    /// The fields that are needed besides Millrace's own; nil for all.
    public var names: [String]?

    public init(index: DocumentIndex, isBackward: Bool, conditions: [PageQuery.Condition], after: [Value]?, limit: Int, names: [String]?) {
        self.index = index
        self.isBackward = isBackward
        self.conditions = conditions
        self.after = after
        self.limit = limit
        self.names = names
    }

    /// Documents that are read: one more than is shown says that there is another page, and where it begins at a document, that is read too.
    public var count: Int { limit + (after != nil && !isBackward ? 2 : 1) }

    /// `{path: {op: value}}` for each condition.
    public var filter: Document {
        var filter = Document()
        for condition in conditions {
            var operators = filter[condition.path]?.asDocument ?? Document()
            operators.append("$\(condition.comparison.rawValue)", condition.value)
            filter[condition.path] = .document(operators)
        }
        return filter
    }

    public var sort: Document {
        Document(index.fields.map { Document.Field($0.path, .int32(isBackward ? -$0.direction : $0.direction)) })
    }

    /// The ends of what is read, in the order of the index: from `min` on, without `max`. nil where one place is all there is.
    public var bounds: (min: Document, max: Document)? {
        let equal = Dictionary(conditions.filter { $0.comparison == .eq }.map { ($0.path, $0.value) }) { first, _ in first }
        if index.fields.allSatisfy({ equal[$0.path] != nil }) { return nil }
        let lowest = Value.other(OpaqueValue(type: BSONType.minKey, bytes: []))
        let highest = Value.other(OpaqueValue(type: BSONType.maxKey, bytes: []))
        let compared = index.fields.first { equal[$0.path] == nil }?.path
        let (low, high) = PageQuery.range(of: conditions.filter { $0.path == compared })
        func bound(atEnd isEnd: Bool) -> Document {
            // Whether what stands behind the compared field goes to its end.
            var isWhole = isEnd
            return Document(
                index.fields.map { field in
                    if let value = equal[field.path] { return Document.Field(field.path, value) }
                    let isHigh = (field.direction > 0) == isEnd
                    if field.path == compared, let edge = isHigh ? high : low {
                        isWhole = isEnd && edge.isIncluded
                        return Document.Field(field.path, edge.value)
                    }
                    return Document.Field(field.path, (field.direction > 0) == isWhole ? highest : lowest)
                })
        }
        var (min, max) = (bound(atEnd: false), bound(atEnd: true))
        if let after {
            let place = Document(zip(index.fields, after).map { Document.Field($0.path, $1) })
            if isBackward { max = place } else { min = place }
        }
        return (min, max)
    }
}

/// What somebody asks for: conditions, an order, and a part of what there is.
public struct PageQuery: Equatable, Sendable {
    public enum Comparison: String, CaseIterable, Hashable, Sendable {
        case eq, gt, gte, lt, lte
    }

    public struct Condition: Equatable, Sendable {
        public var path: String
        public var comparison: Comparison
        public var value: Value

        public init(_ path: String, _ comparison: Comparison, _ value: Value) {
            self.path = path
            self.comparison = comparison
            self.value = value
        }
    }

    public var conditions: [Condition] = []
    public var sort: [DocumentIndex.Field] = []

    public init() {}

    /// The index that answers it in its order, and whether it is read backwards; nil where no index does.
    ///
    /// An index does where its first fields are those that must be equal, the field after them the one that is compared, and the
    /// order begins behind the equal ones.
    public func index(among indexes: [DocumentIndex]) -> (index: DocumentIndex, isBackward: Bool)? {
        let equal = Set(conditions.filter { $0.comparison == .eq }.map(\.path))
        let compared = Set(conditions.filter { $0.comparison != .eq }.map(\.path)).subtracting(equal)
        let wanted = sort.filter { !equal.contains($0.path) }
        for index in [DocumentIndex([])] + indexes {
            let head = index.fields.prefix(equal.count).map(\.path)
            let rest = index.fields.dropFirst(equal.count)
            guard Set(head) == equal, compared.isEmpty || compared == [rest.first?.path ?? ""], wanted.count <= rest.count else { continue }
            let pairs = zip(wanted, rest)
            guard pairs.allSatisfy({ $0.path == $1.path }) else { continue }
            if pairs.allSatisfy({ $0.direction == $1.direction }) { return (index, false) }
            if pairs.allSatisfy({ $0.direction == -$1.direction }) { return (index, true) }
        }
        return nil
    }
}

extension PageQuery {
    /// A value at an end of what is compared, and whether it belongs to it.
    struct Edge {
        var value: Value
        var isIncluded: Bool
    }

    /// Between what values those are that meet all conditions on one field; nil where there is no end. MongoDB compares values of one
    /// type, as it groups and orders them, so that a condition has an end on the other side too.
    static func range(of conditions: [Condition]) -> (low: Edge?, high: Edge?) {
        var (low, high): (Edge?, Edge?)
        for condition in conditions {
            let type = ends(ofTypeOf: condition.value)
            switch condition.comparison {
            case .eq: continue
            case .gt, .gte:
                if low.map({ Value.order($0.value, condition.value) < 0 }) ?? true {
                    low = Edge(value: condition.value, isIncluded: condition.comparison == .gte)
                }
                if high == nil, let end = type.high { high = Edge(value: end, isIncluded: false) }
            case .lt, .lte:
                if high.map({ Value.order(condition.value, $0.value) <= 0 }) ?? true {
                    high = Edge(value: condition.value, isIncluded: condition.comparison == .lte)
                }
                if low == nil, let end = type.low { low = Edge(value: end, isIncluded: true) }
            }
        }
        // Nothing meets them: MongoDB refuses what ends before it begins, and finds nothing by the conditions themselves.
        if let from = low, let to = high, Value.order(from.value, to.value) > 0 { return (nil, nil) }
        return (low, high)
    }

    /// The first value of a type's group, and the first of the next.
    private static func ends(ofTypeOf value: Value) -> (low: Value?, high: Value?) {
        switch value {
        case .int32, .int64, .double, .decimal: (.double(.nan), "")
        case .string: ("", [:])
        case .bool: (false, .date(.min))
        case .date: (.date(.min), .other(OpaqueValue(type: BSONType.timestamp, bytes: [UInt8](repeating: 0, count: 8))))
        default: (nil, nil)
        }
    }
}
