import Events

/// Durations and sizes as they are written: a whole number and a unit.
public enum Units {
    static let durations: [(unit: String, milliseconds: Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
    static let sizes: [(unit: String, bytes: Int64)] = [
        ("B", 1), ("kB", 1000), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ]

    /// `20ms`, `1s`, `1m`, `1h`, `2d`; nil for everything else.
    public static func duration(_ text: String) -> Duration? {
        number(text, durations.map { ($0.unit, $0.milliseconds) }).map { .milliseconds($0) }
    }

    /// `5%` or `0.5%` as a part of 1: more than 0%, and 100% at most; nil for everything else.
    public static func part(_ text: String) -> Double? {
        guard text.hasSuffix("%"), text.dropLast().allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let percent = Double(text.dropLast()),
            percent > 0, percent <= 100
        else { return nil }
        return percent / 100
    }

    /// `64KiB`, `1MiB`, `4MB`, or bytes without a unit; nil for everything else.
    static func size(_ text: String) -> ByteCount? {
        number(text, sizes.map { ($0.unit, $0.bytes) } + [("", 1)]).flatMap(Int.init(exactly:)).map(ByteCount.init)
    }

    /// In the largest unit that leaves it whole.
    public static func format(_ duration: Duration) -> String {
        let parts = duration.components
        let milliseconds = parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
        return format(milliseconds, durations.map { ($0.unit, $0.milliseconds) })
    }

    static func format(_ size: ByteCount) -> String {
        format(Int64(size.bytes), sizes.filter { $0.unit == "B" || $0.unit.hasSuffix("iB") }.map { ($0.unit, $0.bytes) })
    }

    private static func number(_ text: String, _ units: [(String, Int64)]) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), let unit = units.first(where: { $0.0 == text.dropFirst(digits.count) }) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.1)
        return overflow ? nil : product
    }

    private static func format(_ number: Int64, _ units: [(String, Int64)]) -> String {
        let unit = units.last { number >= $0.1 && number % $0.1 == 0 } ?? units.first ?? ("", 1)
        return "\(number / unit.1)\(unit.0)"
    }
}
