import Events
import Values

/// Places and parts of strings, counted in UTF-8 bytes or in code points.
enum SearchOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let searched = [
        Parameter("string", .string), Parameter("part", .string), Parameter("start", .integer, isOptional: true),
        Parameter("end", .integer, isOptional: true),
    ]
    private static let cut = [Parameter("text", .text), Parameter("start", .integer), Parameter("count", .integer)]

    static let all: [ExpressionOperator] = [
        .init(
            "$indexOfBytes", searched, .list(least: 2), "The place of a string in another, in bytes, from `start` to `end`; -1 where it is not found.",
            "{ $indexOfBytes: [ $data.email, \"@\" ] }"
        ) { (x: Operands) throws(Refusal) in try index(x, { Array($0.utf8) }) { $2 - $1.count } },
        .init(
            "$indexOfCP", searched, .list(least: 2), "The place of a string in another, in code points, from `start` to `end`; -1 where it is not found.",
            "{ $indexOfCP: [ $data.email, \"@\" ] }"
        ) { (x: Operands) throws(Refusal) in
            // mongod wants a character at the place, and lets the part go beyond the end.
            try index(x, { Array($0.unicodeScalars) }) { $0.isEmpty && $1.isEmpty ? 0 : $2 - 1 }
        },
        .init(
            "$substr", cut, .list(least: 3), "The same as `$substrBytes`, under its former name.", "{ $substr: [ $data.code, 0, 2 ] }", bytes),
        .init(
            "$substrBytes", cut, .list(least: 3), "The part of a text from a byte on, so many bytes long; all the rest where the count is negative.",
            "{ $substrBytes: [ $data.code, 0, 2 ] }", bytes),
        .init(
            "$substrCP", cut, .list(least: 3), "The part of a text from a code point on, so many code points long.", "{ $substrCP: [ $data.name, 0, 1 ] }",
            points),
    ]

    private static func index<Element: Equatable>(
        _ x: Operands, _ split: (String) -> [Element], last: (_ text: [Element], _ part: [Element], _ end: Int) -> Int
    ) throws(Refusal) -> Value? {
        if x[0].isNullish { return .null }
        let text = split(try x.string(0))
        let part = split(try x.string(1))
        let (start, end) = try x.bounds(2, count: text.count)
        let last = last(text, part, end)
        guard start <= last else { return .int32(-1) }
        let found = (start...last).first { text[$0...].starts(with: part) }
        return .int32(Int32(found ?? -1))
    }

    private static func bytes(_ x: Operands) throws(Refusal) -> Value? {
        let text = Array(try x.text(0).utf8)
        guard let start = x[1]?.truncatedInteger, let count = x[2]?.truncatedInteger else { throw x.refusal("start and count must be numbers of 64 bits") }
        guard start >= 0 else { throw x.refusal("the start \(start) is negative") }
        guard start < text.count else { return .string("") }
        let rest = text[Int(start)...]
        guard !text[Int(start)].isContinuation else { throw x.refusal("byte \(start) is inside of a character") }
        let part = count < 0 ? rest : rest.prefix(Int(clamping: count))
        if part.endIndex < text.count, text[part.endIndex].isContinuation { throw x.refusal("byte \(part.endIndex) is inside of a character") }
        return .string(String(decoding: part, as: UTF8.self))
    }

    private static func points(_ x: Operands) throws(Refusal) -> Value? {
        let text = try x.text(0)
        let (start, count) = (try x.int32(1), try x.int32(2))
        guard start >= 0, count >= 0 else { throw x.refusal("start and count must not be negative") }
        return .string(String(String.UnicodeScalarView(text.unicodeScalars.dropFirst(start).prefix(count))))
    }
}

extension UInt8 {
    fileprivate var isContinuation: Bool { self & 0xC0 == 0x80 }
}

extension Operands {
    /// Where a search begins and ends: two optional arguments from a place on.
    func bounds(_ place: Int, count: Int) throws(Refusal) -> (Int, Int) {
        var start = 0
        var end = count
        if isGiven(place) {
            start = try int32(place)
            guard start >= 0 else { throw refusal("the start \(start) is negative") }
        }
        if isGiven(place + 1) {
            let given = try int32(place + 1)
            guard given >= 0 else { throw refusal("the end \(given) is negative") }
            end = min(given, count)
        }
        return (start, end)
    }
}
