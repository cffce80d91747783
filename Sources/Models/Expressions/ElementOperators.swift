import Events
import Values

/// Operators that look for elements of an array.
enum ElementOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let counted = [Parameter("n", .integer), Parameter("input", .array)]

    static let all: [ExpressionOperator] = [
        .init(
            "$arrayElemAt", [Parameter("array", .array), Parameter("index", .integer)], .list(least: 2),
            "The element at an index, which counts from the end where it is negative.", "{ $arrayElemAt: [ $data.items, 0 ] }"
        ) { (x: Operands) throws(Refusal) in
            if x.isNull(0..<2) { return .null }
            let array = try x.array(0)
            let index = try x.int32(1)
            let place = index < 0 ? array.count + index : index
            guard array.indices.contains(place) else { return nil }
            return array[place]
        },
        .init("$first", [Parameter("array", .array)], .list(least: 1), "The first element; missing where there is none.", "{ $first: $data.items }") {
            (x: Operands) throws(Refusal) in x[0].isNullish ? .null : try x.array(0).first
        },
        .init("$firstN", counted, .named, "The first `n` elements.", "{ $firstN: { n: 3, input: $data.items } }") { (x: Operands) throws(Refusal) in
            .array(Array(try x.array(1).prefix(try x.count(0))))
        },
        .init(
            "$in", [Parameter("value", .any), Parameter("array", .array)], .list(least: 2), "Whether an array holds a value.",
            "{ $in: [ $data.tag, $$doc.tags ] }"
        ) { (x: Operands) throws(Refusal) in .bool(try x.array(1).contains { Value?.order($0, x[0]) == 0 }) },
        .init(
            "$indexOfArray",
            [
                Parameter("array", .array), Parameter("value", .any), Parameter("start", .integer, isOptional: true),
                Parameter("end", .integer, isOptional: true),
            ], .list(least: 2), "The index of a value, looked for from `start` to `end`; -1 where it is not found.",
            "{ $indexOfArray: [ $$doc.tags, $data.tag ] }"
        ) { (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            let array = try x.array(0)
            let (start, end) = try x.bounds(2, count: array.count)
            guard start < end else { return .int32(-1) }
            return .int32(Int32(array[start..<end].firstIndex { Value?.order($0, x[1]) == 0 } ?? -1))
        },
        .init("$isArray", [Parameter("value", .any)], .list(least: 1), "Whether it is an array.", "{ $isArray: $data.tags }") {
            (x: Operands) throws(Refusal) in .bool(x[0]?.asArray != nil)
        },
        .init("$last", [Parameter("array", .array)], .list(least: 1), "The last element; missing where there is none.", "{ $last: $data.items }") {
            (x: Operands) throws(Refusal) in x[0].isNullish ? .null : try x.array(0).last
        },
        .init("$lastN", counted, .named, "The last `n` elements.", "{ $lastN: { n: 3, input: $data.items } }") { (x: Operands) throws(Refusal) in
            .array(Array(try x.array(1).suffix(try x.count(0))))
        },
        .init("$maxN", counted, .named, "The `n` greatest elements but null, the greatest first.", "{ $maxN: { n: 3, input: $data.scores } }") {
            (x: Operands) throws(Refusal) in try greatest(x)
        },
        .init("$minN", counted, .named, "The `n` least elements but null, the least first.", "{ $minN: { n: 3, input: $data.prices } }") {
            (x: Operands) throws(Refusal) in try least(x)
        },
        .init("$size", [Parameter("array", .array)], .list(least: 1), "The number of elements.", "{ $size: $data.items }") {
            (x: Operands) throws(Refusal) in Value(integer: Int64(try x.array(0).count))
        },
    ]

    /// Of equal ones the earlier are kept, and stand first.
    private static func least(_ x: Operands) throws(Refusal) -> Value? {
        var kept: [Value] = []
        let count = try x.count(0)
        for value in try x.array(1) where !Optional(value).isNullish {
            let place = kept.lastIndex { Value.order($0, value) <= 0 }.map { $0 + 1 } ?? 0
            if place < count { kept.insert(value, at: place) }
            if kept.count > count { kept.removeLast() }
        }
        return .array(kept)
    }

    /// Of equal ones the earlier give way to greater ones, and stand last, as with mongod.
    private static func greatest(_ x: Operands) throws(Refusal) -> Value? {
        var kept: [Value] = []
        let count = try x.count(0)
        for value in try x.array(1) where !Optional(value).isNullish {
            if kept.count == count {
                guard let last = kept.last, Value.order(last, value) < 0 else { continue }
                kept.removeLast()
            }
            kept.insert(value, at: kept.firstIndex { Value.order($0, value) <= 0 } ?? kept.count)
        }
        return .array(kept)
    }
}

extension Operands {
    /// How many elements are wanted: at least one.
    fileprivate func count(_ place: Int) throws(Refusal) -> Int {
        guard let count = self[place]?.asInteger, count > 0 else { throw refusal("n is not a positive whole number") }
        return Int(clamping: count)
    }
}
