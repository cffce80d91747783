import Events
import Values

/// Arrays as sets: neither order nor repetition counts, and elements are the same where MongoDB's order says so.
enum SetOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let two = [Parameter("first", .array), Parameter("second", .array)]
    private static let many = [Parameter("array", .array)]

    static let all: [ExpressionOperator] = [
        .init("$allElementsTrue", many, .list(least: 1), "Whether all elements are true.", "{ $allElementsTrue: [ $data.checks ] }") {
            (x: Operands) throws(Refusal) in .bool(try x.array(0).allSatisfy(\.isTrue))
        },
        .init("$anyElementTrue", many, .list(least: 1), "Whether an element is true.", "{ $anyElementTrue: [ $data.checks ] }") {
            (x: Operands) throws(Refusal) in .bool(try x.array(0).contains(where: \.isTrue))
        },
        .init(
            "$setDifference", two, .list(least: 2), "The elements of the first array that are not in the second, each once.",
            "{ $setDifference: [ $$doc.tags, $data.removed ] }"
        ) { (x: Operands) throws(Refusal) in
            if x.isNull(0..<2) { return .null }
            let (first, second) = (try x.array(0), try x.array(1))
            var seen = SortedValues(second)
            return .array(first.filter { seen.insert($0) })
        },
        .init(
            "$setEquals", many + many, .list(least: 2, repeats: true), "Whether the arrays have the same elements.",
            "{ $setEquals: [ $$doc.tags, $data.tags ] }"
        ) { (x: Operands) throws(Refusal) in
            let first = SortedValues(try x.array(0))
            for place in x.values.indices.dropFirst() where !SortedValues(try x.array(place)).hasSameElements(as: first) { return .bool(false) }
            return .bool(true)
        },
        .init(
            "$setIntersection", many, .list(least: 0, repeats: true), "The elements that all arrays have, in order, each once.",
            "{ $setIntersection: [ $$doc.tags, $data.tags ] }"
        ) { (x: Operands) throws(Refusal) in
            var common: SortedValues?
            for place in x.values.indices {
                if x[place].isNullish { return .null }
                let array = try x.array(place)
                common = common.map { $0.intersection(SortedValues(array)) } ?? SortedValues(array)
            }
            return .array(common?.values ?? [])
        },
        .init(
            "$setIsSubset", two, .list(least: 2), "Whether all elements of the first array are in the second.", "{ $setIsSubset: [ $data.tags, $$doc.tags ] }"
        ) {
            (x: Operands) throws(Refusal) in
            let second = SortedValues(try x.array(1))
            return .bool(try x.array(0).allSatisfy { second.contains($0) })
        },
        .init(
            "$setUnion", many, .list(least: 0, repeats: true), "The elements of all arrays, in order, each once.", "{ $setUnion: [ $$doc.tags, $data.tags ] }"
        ) { (x: Operands) throws(Refusal) in
            var union = SortedValues([])
            for place in x.values.indices {
                if x[place].isNullish { return .null }
                for value in try x.array(place) { union.insert(value) }
            }
            return .array(union.values)
        },
    ]
}

/// Values in MongoDB's order, each once: of those that are equal, the one that came first.
private struct SortedValues {
    private(set) var values: [Value] = []

    init(_ values: [Value]) { for value in values { insert(value) } }

    private func place(of value: Value) -> (place: Int, isFound: Bool) {
        var range = 0..<values.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            let order = Value.order(values[middle], value)
            if order == 0 { return (middle, true) }
            range = order < 0 ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
        }
        return (range.lowerBound, false)
    }

    func contains(_ value: Value) -> Bool { place(of: value).isFound }

    /// Says whether it was new.
    @discardableResult
    mutating func insert(_ value: Value) -> Bool {
        let (place, isFound) = place(of: value)
        if !isFound { values.insert(value, at: place) }
        return !isFound
    }

    /// Of equal values those of the smaller set, as with mongod.
    func intersection(_ other: SortedValues) -> SortedValues {
        let large = values.count > other.values.count ? self : other
        var small = values.count > other.values.count ? other : self
        small.values.removeAll { !large.contains($0) }
        return small
    }

    func hasSameElements(as other: SortedValues) -> Bool {
        values.count == other.values.count && zip(values, other.values).allSatisfy { $0.matches($1) }
    }
}
