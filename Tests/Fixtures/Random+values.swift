import Values

extension Random {
    /// Which values a random document may hold.
    public enum Palette {
        /// What an event or a literal can say.
        case json
        /// Also dates and every type that Millrace keeps without computing with it.
        case bson
    }

    public mutating func document(_ palette: Palette, depth: Int = 3, names: [String] = names, fields: Int = 6) -> Document {
        var document = Document()
        for _ in 0..<below(fields + 1) {
            let name = pick(names)
            if document[name] == nil { document.append(name, value(palette, depth: depth)) }
        }
        return document
    }

    public mutating func value(_ palette: Palette, depth: Int) -> Value {
        switch below(depth > 0 ? 10 : 7) {
        case 0: return pick([.null, .bool(true), .bool(false)])
        case 1, 2: return integer()
        case 3: return .double(double())
        case 4, 5: return .string(text())
        case 6 where palette == .bson && once(in: 4): return .decimal(Decimal128(low: next(), high: next()))
        case 6 where palette == .bson: return once(in: 2) ? .date(Int64(truncatingIfNeeded: next())) : .other(opaque())
        case 6: return .string("")
        case 7: return .array((0..<below(5)).map { _ in value(palette, depth: depth - 1) })
        default: return .document(document(palette, depth: depth - 1))
        }
    }

    public mutating func integer() -> Value {
        let choices: [Int64] = [0, 1, -1, Int64(Int32.max), Int64(Int32.max) + 1, Int64(Int32.min), Int64(Int32.min) - 1, .max, .min, 1 << 53, (1 << 53) + 1]
        return Value(integer: once(in: 2) ? Int64(below(100)) - 50 : pick(choices))
    }

    /// Finite, since JSON has no others.
    public mutating func double() -> Double {
        let choices = [0, -0.0, 0.1, -1.5, 1e21, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0x1p53, 0x1p63, -0x1p63]
        if once(in: 2) { return pick(choices) }
        let number = Double(bitPattern: next())
        return number.isFinite ? number : 0.5
    }

    public mutating func text() -> String { (0..<below(8)).map { _ in pick(Self.pieces) }.joined() }

    /// Composed and decomposed, NUL, control characters, quotes, and characters of two, three and four bytes.
    private static let pieces = ["a", "z", "A", "0", " ", "\u{0}", "\u{1f}", "\u{7f}", "\"", "\\", "/", "\n", "é", "e\u{301}", "€", "\u{2028}", "😀"]

    /// Names that a document may have; none holds NUL.
    public static let names = ["a", "b", "c", "d", "aa", "", "0", "1", "10", "9", "A", "é", "e\u{301}", "a.b", "$x", "€", "_id", "$ref"]

    /// One value of every type that Millrace keeps as bytes, well formed.
    public mutating func opaque() -> OpaqueValue { pick(Self.opaqueShapes)(&self) }

    public static let opaqueShapes: [@Sendable (inout Random) -> OpaqueValue] = [
        { _ in OpaqueValue(type: BSONType.undefined, bytes: []) },
        { _ in OpaqueValue(type: BSONType.minKey, bytes: []) },
        { _ in OpaqueValue(type: BSONType.maxKey, bytes: []) },
        { OpaqueValue(type: BSONType.objectId, bytes: $0.bytes(12)) },
        { OpaqueValue(type: BSONType.timestamp, bytes: $0.bytes(8)) },
        { random in
            let content = random.bytes(random.below(20))
            return OpaqueValue(type: BSONType.binary, bytes: length(content.count) + [UInt8(random.below(8))] + content)
        },
        { OpaqueValue(type: BSONType.javascript, bytes: string($0.text())) },
        { OpaqueValue(type: BSONType.symbol, bytes: string($0.text())) },
        { OpaqueValue(type: BSONType.dbPointer, bytes: string($0.text()) + $0.bytes(12)) },
        { random in OpaqueValue(type: BSONType.regex, bytes: Array("^a\(random.below(9))\0".utf8) + Array("i\0".utf8)) },
        { random in
            let body = string(random.text()) + BSON.encode(random.document(.json, depth: 1))
            return OpaqueValue(type: BSONType.javascriptWithScope, bytes: length(body.count + 4) + body)
        },
    ]

    private static func length(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        BSON.append(Int32(count), to: &bytes)
        return bytes
    }

    private static func string(_ text: String) -> [UInt8] {
        length(text.utf8.count + 1) + Array(text.utf8) + [0]
    }

    public mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
