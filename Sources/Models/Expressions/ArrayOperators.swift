import Events
import Values

/// Operators that make, join, cut and turn arrays.
enum ArrayOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    static let all: [ExpressionOperator] = [
        .init(
            "$arrayToObject", [Parameter("pairs", .pairs)], .list(least: 1),
            "The object with the members that an array of [name, value] or { k: name, v: value } lists.", "{ $arrayToObject: $data.attributes }", toObject),
        .init(
            "$concatArrays", [Parameter("array", .array)], .list(least: 0, repeats: true), "The arrays, one after the other.",
            "{ $concatArrays: [ $$doc.tags, $data.tags ] }", concat),
        .init(
            "$objectToArray", [Parameter("object", .object)], .list(least: 1), "The members of an object as an array of { k: name, v: value }.",
            "{ $objectToArray: $data.attributes }"
        ) { (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            return .array(try x.document(0).fields.map { ["k": .string($0.name), "v": $0.value] })
        },
        .init(
            "$range", [Parameter("start", .integer), Parameter("end", .integer), Parameter("step", .integer, isOptional: true)], .list(least: 2),
            "Whole numbers from a start to before an end, by steps of 1 or of another number.", "{ $range: [ 0, $data.count ] }", range),
        .init("$reverseArray", [Parameter("array", .array)], .list(least: 1), "The elements from the last to the first.", "{ $reverseArray: $data.items }") {
            (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            return .array(try x.array(0).reversed())
        },
        .init(
            "$slice", [Parameter("array", .array), Parameter("position or count", .integer), Parameter("count", .integer, isOptional: true)],
            .list(least: 2), "So many elements from the front, or with a negative count from the end, or from a position on.",
            "{ $slice: [ $$doc.latest, -3 ] }", slice),
        .init(
            "$sortArray", [Parameter("input", .array), Parameter("sortBy", .constantOrder)], .named, "The elements in order.",
            "{ $sortArray: { input: $data.items, sortBy: { price: -1 } } }", sort),
        .init(
            "$zip",
            [
                Parameter("inputs", .arrays), Parameter("useLongestLength", .constantFlag, isOptional: true),
                Parameter("defaults", .values, isOptional: true),
            ], .named, "An array of the first elements, one of the second elements, and so on.", "{ $zip: { inputs: [ $data.names, $data.values ] } }",
            body: .expressions(zip)),
    ]

    private static func toObject(_ x: Operands) throws(Refusal) -> Value? {
        if x[0].isNullish { return .null }
        var document = Document()
        var isList: Bool?
        for pair in try x.array(0) {
            let name: Value?
            let value: Value?
            switch pair {
            case .array(let parts) where isList != false && parts.count == 2:
                isList = true
                (name, value) = (parts[0], parts[1])
            case .document(let parts) where isList != true && parts.fields.count == 2:
                isList = false
                (name, value) = (parts["k"], parts["v"])
            default: throw x.refusal("an element is no pair like the others")
            }
            guard case .string(let name)? = name, let value else { throw x.refusal("the name of a pair is no string") }
            guard !name.utf8.contains(0) else { throw x.refusal("the name of a pair holds NUL") }
            document[name] = value
        }
        return .document(document)
    }

    private static func concat(_ x: Operands) throws(Refusal) -> Value? {
        var elements: [Value] = []
        for place in x.values.indices {
            if x[place].isNullish { return .null }
            elements += try x.array(place)
        }
        return .array(elements)
    }

    /// More would be no document: MongoDB's own is 16 MiB.
    private static let longestRange = 2_000_000

    private static func range(_ x: Operands) throws(Refusal) -> Value? {
        let (start, end) = (try x.int32(0), try x.int32(1))
        let step = x.isGiven(2) ? try x.int32(2) : 1
        guard step != 0 else { throw x.refusal("the step is 0") }
        let numbers = stride(from: start, to: end, by: step)
        guard (end > start) != (step > 0) || abs(end - start) / abs(step) <= longestRange else {
            throw x.refusal("the array would have more than \(longestRange) elements")
        }
        return .array(numbers.map { .int32(Int32($0)) })
    }

    private static func slice(_ x: Operands) throws(Refusal) -> Value? {
        if x.isNull(0..<2) { return .null }
        let array = try x.array(0)
        let first = try x.int32(1)
        guard x.isGiven(2) else { return .array(Array(first >= 0 ? array.prefix(first) : array.suffix(-first))) }
        if x[2].isNullish { return .null }
        let count = try x.int32(2)
        guard count > 0 else { throw x.refusal("the count \(count) is not positive") }
        let start = first >= 0 ? min(first, array.count) : max(0, array.count + first)
        return .array(Array(array[start...].prefix(count)))
    }

    private static func sort(_ x: Operands) throws(Refusal) -> Value? {
        if x[0].isNullish { return .null }
        var array = try x.array(0)
        guard let written = x[1], let order = ElementOrder(written) else { throw x.refusal("sortBy is neither 1, -1 nor a map of fields") }
        _ = order.sort(&array)
        return .array(array)
    }

    private static func zip(_ application: Application, _ context: Context) throws(Refusal) -> Value? {
        let arguments = application.arguments
        let x = Operands(application: application, values: [try arguments[0]?.evaluate(context), try arguments[1]?.evaluate(context)])
        var arrays: [[Value]] = []
        for input in try x.array(0) {
            if Optional(input).isNullish { return .null }
            guard case .array(let array) = input else { throw x.refusal(input, not: "an array") }
            arrays.append(array)
        }
        guard let shortest = arrays.map(\.count).min(), let longest = arrays.map(\.count).max() else { throw x.refusal("there are no inputs") }
        // One that is missing is left out, as with mongod, where without defaults there is null.
        var defaults = [Value?](repeating: .some(.null), count: arrays.count)
        switch arguments[2] {
        case .array(let expressions)?: for place in expressions.indices { defaults[place] = try expressions[place].evaluate(context) }
        case .literal(let literal)?: for (place, value) in (literal.value.asArray ?? []).enumerated() { defaults[place] = value }
        default: break
        }
        return .array(
            (0..<(x[1].isTrue ? longest : shortest)).map { place in
                .array(arrays.indices.compactMap { place < arrays[$0].count ? arrays[$0][place] : defaults[$0] })
            })
    }
}

extension ElementOrder {
    /// As a definition writes it: `1`, `-1`, or a map of fields and these.
    public init?(_ written: Value) {
        func direction(_ value: Value) -> Direction? { value.asInteger.flatMap { Int32(exactly: $0) }.flatMap(Direction.init) }
        if let direction = direction(written) {
            self = .whole(direction)
            return
        }
        guard let members = written.asDocument?.fields, !members.isEmpty else { return nil }
        let fields = members.compactMap { member in
            FieldPath(member.name).flatMap { path in direction(member.value).map { Field(path, $0) } }
        }
        guard fields.count == members.count else { return nil }
        self = .fields(fields)
    }
}
