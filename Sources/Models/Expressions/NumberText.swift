import Values

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Value {
    /// A number as mongod writes it where it wants a text: doubles with no more than six digits.
    var numberText: String? {
        switch self {
        case .int32(let number): String(number)
        case .int64(let number): String(number)
        case .double(let number):
            number.isNaN ? "nan" : Self.text(number)
        case .decimal(let number): number.description
        default: nil
        }
    }

    private static func text(_ number: Double) -> String {
        var text = [CChar](repeating: 0, count: 32)
        let count = withVaList([number]) { vsnprintf(&text, text.count, "%g", $0) }
        return String(decoding: text.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Int64 {
    /// Milliseconds since 1970 as `2026-11-20T10:00:00.000Z`; nil outside of the years 0 to 9999.
    var isoText: String? {
        let text = DateTime.format(milliseconds: self)
        return text.hasSuffix("Z") ? text : nil
    }
}
