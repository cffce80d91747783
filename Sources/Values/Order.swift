/// MongoDB's order over all values ("Comparison/Sort Order" in its manual): types first, numbers of every width among
/// each other.
extension Value {
    /// Negative, zero or positive, as `left` sorts before, with or after `right`.
    public static func order(_ left: Value, _ right: Value) -> Int {
        switch (left, right) {
        case (.int32(let a), .int32(let b)): return sign(a, b)
        case (.string(let a), .string(let b)): return order(utf8: a, b)
        default: break
        }
        let (leftClass, rightClass) = (left.sortClass, right.sortClass)
        if leftClass != rightClass { return leftClass < rightClass ? -1 : 1 }
        switch (left, right) {
        case (.bool(let a), .bool(let b)): return sign(a ? 1 : 0, b ? 1 : 0)
        case (.date(let a), .date(let b)): return sign(a, b)
        case (.array(let a), .array(let b)): return order(a, b)
        case (.document(let a), .document(let b)): return order(a, b)
        case (.other(let a), .other(let b)): return order(a, b)
        case (.string(let a), .other(let b)): return order(a.utf8, text(of: b))
        case (.other(let a), .string(let b)): return order(text(of: a), b.utf8)
        case (.null, .null): return 0
        default: return orderNumbers(left, right)
        }
    }

    /// MongoDB's equality: numbers by value, everything else by type and content.
    @inlinable
    public func matches(_ other: Value) -> Bool { Value.order(self, other) == 0 }

    /// Whether both are of one type in that order, as all numbers are: queries compare nothing else.
    public func hasType(of other: Value) -> Bool { sortClass == other.sortClass }

    private var sortClass: Int {
        switch self {
        case .null: 5
        case .int32, .int64, .double, .decimal: 10
        case .string: 15
        case .document: 20
        case .array: 25
        case .bool: 40
        case .date: 45
        case .other(let value):
            switch value.type {
            case BSONType.minKey: -1
            case BSONType.undefined: 0
            case BSONType.symbol: 15
            case BSONType.binary: 30
            case BSONType.objectId: 35
            case BSONType.timestamp: 47
            case BSONType.regex: 50
            case BSONType.dbPointer: 55
            case BSONType.javascript: 60
            case BSONType.javascriptWithScope: 65
            default: 127
            }
        }
    }

    private static func order(_ left: OpaqueValue, _ right: OpaqueValue) -> Int {
        switch left.type {
        // The shorter first.
        case BSONType.binary, BSONType.dbPointer:
            left.bytes.count != right.bytes.count ? sign(left.bytes.count, right.bytes.count) : order(left.bytes, right.bytes)
        // Stored least significant byte first.
        case BSONType.timestamp: order(left.bytes.reversed(), right.bytes.reversed())
        case BSONType.symbol, BSONType.javascript: order(text(of: left), text(of: right))
        default: order(left.bytes, right.bytes)
        }
    }

    /// The text of a symbol or of code, which BSON stores as length, bytes and NUL.
    private static func text(of value: OpaqueValue) -> ArraySlice<UInt8> { value.bytes.dropFirst(4).dropLast() }

    private static func order(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) -> Int {
        if left.lexicographicallyPrecedes(right) { return -1 }
        return right.lexicographicallyPrecedes(left) ? 1 : 0
    }

    private static func order(_ left: [Value], _ right: [Value]) -> Int {
        for (a, b) in zip(left, right) {
            let order = order(a, b)
            if order != 0 { return order }
        }
        return sign(left.count, right.count)
    }

    /// Documents compare field by field: type of the value, then name, then value.
    private static func order(_ left: Document, _ right: Document) -> Int {
        for (a, b) in zip(left.fields, right.fields) {
            let (aClass, bClass) = (a.value.sortClass, b.value.sortClass)
            if aClass != bClass { return sign(aClass, bClass) }
            let names = order(utf8: a.name, b.name)
            if names != 0 { return names }
            let values = order(a.value, b.value)
            if values != 0 { return values }
        }
        return sign(left.fields.count, right.fields.count)
    }

    static func order(utf8 left: String, _ right: String) -> Int {
        var (left, right) = (left, right)
        return left.withUTF8 { a in
            right.withUTF8 { b in
                for index in 0..<min(a.count, b.count) where a[index] != b[index] { return sign(a[index], b[index]) }
                return sign(a.count, b.count)
            }
        }
    }

    /// NaN sorts below every number; an int64 and a double compare exactly, not by rounding either to the other.
    private static func orderNumbers(_ left: Value, _ right: Value) -> Int {
        switch (left, right) {
        case (.decimal(let a), .decimal(let b)): return Decimal128.order(a, b)
        case (.decimal(let a), .double(let b)): return -order(b, a)
        case (.double(let a), .decimal(let b)): return order(a, b)
        case (.decimal(let a), _): return Decimal128.order(a, Decimal128(right.asInteger ?? 0))
        case (_, .decimal(let b)): return Decimal128.order(Decimal128(left.asInteger ?? 0), b)
        case (.double(let a), .double(let b)):
            if a.isNaN || b.isNaN { return sign(a.isNaN ? 0 : 1, b.isNaN ? 0 : 1) }
            return sign(a, b)
        case (.double(let a), _): return -order(right.asInteger ?? 0, a)
        case (_, .double(let b)): return order(left.asInteger ?? 0, b)
        default: return sign(left.asInteger ?? 0, right.asInteger ?? 0)
        }
    }

    /// As doubles, and where those are the same with all digits that a decimal can have.
    private static func order(_ double: Double, _ decimal: Decimal128) -> Int {
        if double.isNaN || decimal.isNaN { return sign(double.isNaN ? 0 : 1, decimal.isNaN ? 0 : 1) }
        let order = sign(double, decimal.double)
        return order != 0 || !double.isFinite ? order : Decimal128.order(Decimal128(double), decimal)
    }

    private static func order(_ integer: Int64, _ double: Double) -> Int {
        if double.isNaN { return 1 }
        if double >= 0x1p63 { return -1 }
        if double < -0x1p63 { return 1 }
        let whole = double.rounded(.towardZero)
        let order = sign(integer, Int64(whole))
        return order != 0 ? order : sign(0, double - whole)
    }

    private static func sign<T: Comparable>(_ left: T, _ right: T) -> Int { left < right ? -1 : (left > right ? 1 : 0) }
}
