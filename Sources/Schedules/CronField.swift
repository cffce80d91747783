/// One field of a cron line: which numbers it names.
///
/// `*`, numbers, ranges `a-b`, steps `*/n`, `a/n` and `a-b/n`, names where the field has some, and lists of all that.
struct CronField: Hashable, Sendable {
    /// A bit for each number.
    let bits: UInt64
    /// Said by `*`, with or without a step.
    let isAny: Bool

    /// What a field may say.
    struct Kind {
        var name: String
        var range: ClosedRange<Int>
        var names: [String] = []
        /// The number of the first name.
        var firstName = 0
    }

    static let minute = Kind(name: "minute", range: 0...59)
    static let hour = Kind(name: "hour", range: 0...23)
    static let day = Kind(name: "day of the month", range: 1...31)
    static let month = Kind(
        name: "month", range: 1...12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], firstName: 1)
    /// 7 is Sunday too.
    static let weekday = Kind(name: "day of the week", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

    func contains(_ number: Int) -> Bool { bits & (1 << UInt64(number)) != 0 }

    init(_ text: Substring, _ kind: Kind) throws(CronMistake) {
        var bits: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            var step = 1
            if pieces.count == 2 {
                guard let number = Self.digits(pieces[1]), number > 0 else { throw Self.mistake(part, kind) }
                step = number
            }
            let span = try Self.span(pieces[0], kind, isStepped: pieces.count == 2)
            for number in stride(from: span.lowerBound, through: span.upperBound, by: step) { bits |= 1 << UInt64(number) }
        }
        self.bits = bits
        isAny = text.hasPrefix("*")
    }

    private static func span(_ text: Substring, _ kind: Kind, isStepped: Bool) throws(CronMistake) -> ClosedRange<Int> {
        if text == "*" { return kind.range }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = number(ends[0], kind) else { throw mistake(text, kind) }
        guard ends.count == 2 else { return first...(isStepped ? kind.range.upperBound : first) }
        // `fri-sun` ends with the Sunday that closes a week.
        guard var last = number(ends[1], kind) else { throw mistake(text, kind) }
        if kind.range.upperBound == 7, last == 0, first > 0 { last = 7 }
        guard first <= last else { throw mistake(text, kind) }
        return first...last
    }

    private static func number(_ text: Substring, _ kind: Kind) -> Int? {
        let number = digits(text) ?? kind.names.firstIndex(of: text.lowercased()).map { $0 + kind.firstName }
        return number.flatMap { kind.range.contains($0) ? $0 : nil }
    }

    private static func digits(_ text: Substring) -> Int? {
        !text.isEmpty && text.count <= 2 && text.utf8.allSatisfy { 48...57 ~= $0 } ? Int(text) : nil
    }

    private static func mistake(_ text: Substring, _ kind: Kind) -> CronMistake {
        let names = kind.names.isEmpty ? "" : " or \(kind.names[0]) to \(kind.names[kind.names.count - 1])"
        return CronMistake(
            message: "\"\(text)\" is no \(kind.name): \(kind.range.lowerBound) to \(kind.range.upperBound)\(names), ranges such as 1-5, steps such as */10, "
                + "and lists of them")
    }
}

/// What is wrong with a cron line.
public struct CronMistake: Error, Hashable, Sendable {
    public var message: String
}
