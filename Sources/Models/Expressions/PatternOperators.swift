import Events
import Values

/// Regular expressions on text.
enum PatternOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let searched = [Parameter("input", .string), Parameter("regex", .pattern), Parameter("options", .patternOptions, isOptional: true)]

    static let all: [ExpressionOperator] = [
        .init(
            "$regexFind", searched, .named, "The first match, `{ match, idx, captures }` with the code point that it begins at, or null.",
            "{ $regexFind: { input: $data.title, regex: \"\\\\d+\" } }"
        ) { (x: Operands) throws(Refusal) in try find(x, most: 1).first ?? .null },
        .init(
            "$regexFindAll", searched, .named, "All matches, as `$regexFind` gives one.", "{ $regexFindAll: { input: $data.text, regex: \"#(\\\\w+)\" } }"
        ) { (x: Operands) throws(Refusal) in .array(try find(x, most: .max)) },
        .init(
            "$regexMatch", searched, .named, "Whether it matches.", "{ $regexMatch: { input: $data.email, regex: \"@example\\\\.org$\", options: i } }"
        ) { (x: Operands) throws(Refusal) in .bool(!(try find(x, most: 1).isEmpty)) },
    ]

    private static func find(_ x: Operands, most: Int) throws(Refusal) -> [Value] {
        if !x[0].isNullish { _ = try x.string(0) }
        guard let pattern = try pattern(x), !x[0].isNullish else { return [] }
        let text = try x.string(0)
        // With a byte behind it, so that an empty text has an address.
        let found: Result<[Value], Pattern.Failure> = (Array(text.utf8) + [0]).withUnsafeBufferPointer { bytes in
            let text = UnsafeBufferPointer(rebasing: bytes.dropLast())
            do throws(Pattern.Failure) { return .success(try matches(of: pattern, in: text, most: most)) } catch { return .failure(error) }
        }
        switch found {
        case .success(let matches): return matches
        case .failure(.limit):
            throw Refusal(.patternLimit, "\(x.name): the pattern needs more than \(Pattern.maximumSteps) steps for a text of \(text.utf8.count) bytes")
        case .failure(.other(let code)): throw x.refusal("the pattern cannot be searched for (PCRE2 error \(code))")
        }
    }

    private static func matches(of pattern: Pattern, in text: UnsafeBufferPointer<UInt8>, most: Int) throws(Pattern.Failure) -> [Value] {
        var matches: [Value] = []
        var (start, points, counted) = (0, 0, 0)
        repeat {
            guard let match = try pattern.firstMatch(in: text, from: start) else { break }
            points += text[counted..<max(counted, match.range.lowerBound)].codePoints
            counted = max(counted, match.range.lowerBound)
            matches.append([
                "match": text.string(match.range), "idx": .int32(Int32(clamping: points)),
                "captures": .array(match.groups.map { $0.map(text.string) ?? .null }),
            ])
            // Behind a match of nothing, the next search begins a code point later.
            start = match.range.upperBound
            if match.range.isEmpty {
                repeat { start += 1 } while start < text.count && text[start] & 0xC0 == 0x80
            }
        } while start < text.count && matches.count < most
        return matches
    }

    /// nil where the pattern is null or missing. Options stand beside a text, or in a value of type regex.
    private static func pattern(_ x: Operands) throws(Refusal) -> Pattern? {
        var options = x[2].isNullish ? "" : try x.string(2)
        var text: String?
        switch x[1] {
        case .string(let pattern)?: text = pattern
        case .other(let other)? where other.type == BSONType.regex:
            let parts = other.bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
            text = parts.first
            if parts.count > 1, !parts[1].isEmpty {
                guard x[2].isNullish else { throw x.refusal("there are options beside those of the pattern") }
                options = parts[1]
            }
        case let value where value.isNullish: break
        case let value: throw x.refusal(value, not: "a string or a regular expression")
        }
        do throws(Pattern.Mistake) {
            let pattern = try Pattern.compiled(text ?? "", options: options)
            return text == nil ? nil : pattern
        } catch {
            throw x.refusal(error.message)
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func string(_ range: Range<Int>) -> Value { .string(String(decoding: self[range], as: UTF8.self)) }
}

extension Slice<UnsafeBufferPointer<UInt8>> {
    fileprivate var codePoints: Int { count { $0 & 0xC0 != 0x80 } }
}
