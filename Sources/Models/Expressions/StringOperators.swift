import Events
import Values

/// Operators on text. Strings are their UTF-8 bytes; only the letters of ASCII have a case, as in MongoDB.
enum StringOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let text = [Parameter("text", .text)]
    private static let trimmed = [Parameter("input", .string), Parameter("chars", .string, isOptional: true)]
    private static let replaced = [Parameter("input", .string), Parameter("find", .string), Parameter("replacement", .string)]

    static let all: [ExpressionOperator] = [
        .init(
            "$concat", [Parameter("string", .string)], .list(least: 0, repeats: true), "The strings, one after the other.",
            "{ $concat: [ $data.first, \" \", $data.last ] }", concat),
        .init("$ltrim", trimmed, .named, "The string without the spaces, or `chars`, that it begins with.", "{ $ltrim: { input: $data.name } }") {
            (x: Operands) throws(Refusal) in try trim(x, start: true, end: false)
        },
        .init(
            "$replaceAll", replaced, .named, "The string with every occurrence of another replaced.",
            "{ $replaceAll: { input: $data.phone, find: \"-\", replacement: \"\" } }"
        ) { (x: Operands) throws(Refusal) in try replace(x, all: true) },
        .init(
            "$replaceOne", replaced, .named, "The string with the first occurrence of another replaced.",
            "{ $replaceOne: { input: $data.name, find: \"_\", replacement: \" \" } }"
        ) { (x: Operands) throws(Refusal) in try replace(x, all: false) },
        .init("$rtrim", trimmed, .named, "The string without the spaces, or `chars`, that it ends with.", "{ $rtrim: { input: $data.name } }") {
            (x: Operands) throws(Refusal) in try trim(x, start: false, end: true)
        },
        .init(
            "$split", [Parameter("string", .string), Parameter("separator", .string)], .list(least: 2), "The parts of the string between separators.",
            "{ $split: [ $data.tags, \",\" ] }", split),
        .init("$strLenBytes", [Parameter("string", .string)], .list(least: 1), "The number of UTF-8 bytes.", "{ $strLenBytes: $data.name }") {
            (x: Operands) throws(Refusal) in Value(integer: Int64(try x.string(0).utf8.count))
        },
        .init("$strLenCP", [Parameter("string", .string)], .list(least: 1), "The number of code points.", "{ $strLenCP: $data.name }") {
            (x: Operands) throws(Refusal) in Value(integer: Int64(try x.string(0).unicodeScalars.count))
        },
        .init(
            "$strcasecmp", text + text, .list(least: 2), "-1, 0 or 1, as the first sorts before, with or after the second, without regard to case.",
            "{ $strcasecmp: [ $data.name, $$doc.name ] }"
        ) { (x: Operands) throws(Refusal) in
            .int32(Int32(Value.order(.string(upper(try x.text(0))), .string(upper(try x.text(1))))))
        },
        .init("$toLower", text, .list(least: 1), "The text in small letters.", "{ $toLower: $data.email }") { (x: Operands) throws(Refusal) in
            .string(lower(try x.text(0)))
        },
        .init("$toUpper", text, .list(least: 1), "The text in capital letters.", "{ $toUpper: $data.code }") { (x: Operands) throws(Refusal) in
            .string(upper(try x.text(0)))
        },
        .init("$trim", trimmed, .named, "The string without the spaces, or `chars`, around it.", "{ $trim: { input: $data.name } }") {
            (x: Operands) throws(Refusal) in try trim(x, start: true, end: true)
        },
    ]

    private static func lower(_ text: String) -> String {
        String(decoding: text.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
    }

    private static func upper(_ text: String) -> String {
        String(decoding: text.utf8.map { (97...122).contains($0) ? $0 - 32 : $0 }, as: UTF8.self)
    }

    private static func concat(_ x: Operands) throws(Refusal) -> Value? {
        var text = ""
        for place in x.values.indices {
            if x[place].isNullish { return .null }
            text += try x.string(place)
        }
        return .string(text)
    }

    /// What is trimmed when the definition does not say: NUL, white space of ASCII, and spaces of Unicode.
    private static let spaces: Set<Unicode.Scalar> = Set("\0 \t\n\u{B}\u{C}\r\u{A0}\u{1680}".unicodeScalars).union(
        (0x2000...0x200A).compactMap { Unicode.Scalar($0) })

    private static func trim(_ x: Operands, start: Bool, end: Bool) throws(Refusal) -> Value? {
        if x[0].isNullish { return .null }
        let text = try x.string(0)
        var trimmed = spaces
        if x.isGiven(1) {
            if x[1].isNullish { return .null }
            trimmed = Set(try x.string(1).unicodeScalars)
        }
        var rest = text.unicodeScalars[...]
        if start { rest = rest.drop { trimmed.contains($0) } }
        if end { while let last = rest.last, trimmed.contains(last) { rest.removeLast() } }
        return .string(String(rest))
    }

    private static func replace(_ x: Operands, all: Bool) throws(Refusal) -> Value? {
        for place in 0..<3 where !x[place].isNullish { _ = try x.string(place) }
        if x.isNull(0..<3) { return .null }
        let (input, find, replacement) = (Array(try x.string(0).utf8), Array(try x.string(1).utf8), Array(try x.string(2).utf8))
        var output: [UInt8] = []
        var place = 0
        while let found = input.firstIndex(of: find, from: place) {
            output += input[place..<found] + replacement
            place = found + find.count
            if !all { break }
            // An empty string is found before every byte, and behind the last.
            if find.isEmpty {
                if place == input.count { break }
                output.append(input[place])
                place += 1
            }
        }
        return .string(String(decoding: output + input[place...], as: UTF8.self))
    }

    private static func split(_ x: Operands) throws(Refusal) -> Value? {
        if x.isNull(0..<2) { return .null }
        let (text, separator) = (Array(try x.string(0).utf8), Array(try x.string(1).utf8))
        guard !separator.isEmpty else { throw x.refusal("the separator is empty") }
        var parts: [Value] = []
        var place = 0
        while let found = text.firstIndex(of: separator, from: place) {
            parts.append(.string(String(decoding: text[place..<found], as: UTF8.self)))
            place = found + separator.count
        }
        return .array(parts + [.string(String(decoding: text[place...], as: UTF8.self))])
    }
}

extension [UInt8] {
    /// Where the bytes occur first from a place on.
    func firstIndex(of wanted: [UInt8], from start: Int) -> Int? {
        guard start >= 0, start + wanted.count <= count else { return nil }
        return (start...(count - wanted.count)).first { self[$0..<($0 + wanted.count)].elementsEqual(wanted) }
    }
}

extension Operands {
    /// A string, or what MongoDB writes for a number or a date; nothing for null.
    func text(_ place: Int) throws(Refusal) -> String {
        switch self[place] {
        case .string(let text)?: return text
        case .date(let time)?:
            guard let text = time.isoText else { throw refusal("the date is outside of the years 0 to 9999") }
            return text
        case let value where value.isNullish: return ""
        case let value?:
            guard let text = value.numberText else { throw refusal(value, not: "a string, a number or a date") }
            return text
        case nil: return ""
        }
    }
}
