#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension DecimalText {
    /// `-d.ddde±dd` with so many digits, rounded from the number's exact value.
    static func scientific(_ number: Double, digits: Int) -> String {
        var text = [CChar](repeating: 0, count: 64)
        let count = withVaList([number]) { vsnprintf(&text, text.count, "%.\(digits - 1)e", $0) }
        return String(decoding: text.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
