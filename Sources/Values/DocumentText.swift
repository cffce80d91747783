/// A document as its readers get it: JSON straight from its BSON, in the stored order of its fields.
///
/// As `JSON` writes values, and so that no reader rounds them, integers beyond 2^53 are strings.
public enum DocumentText {
    /// Appends one line.
    public static func append(_ bson: UnsafeRawBufferPointer, _ mask: FieldMask = .all, to text: inout [UInt8]) throws(BSONError) {
        var writer = DocumentWriter(reader: BSONReader(bytes: bson, at: 0, end: bson.count), isPretty: false, text: [])
        swap(&writer.text, &text)
        defer { swap(&writer.text, &text) }
        try writer.document(mask, depth: 0)
    }

    /// One line, or with two spaces a level.
    public static func write(_ document: Document, isPretty: Bool = false) throws(BSONError) -> String {
        let bson = BSON.encode(document)
        let result: Result<[UInt8], BSONError> = bson.withUnsafeBytes { bytes in
            var writer = DocumentWriter(reader: BSONReader(bytes: bytes, at: 0, end: bytes.count), isPretty: isPretty, text: [])
            do throws(BSONError) {
                try writer.document(.all, depth: 0)
                return .success(writer.text)
            } catch {
                return .failure(error)
            }
        }
        return String(decoding: try result.get(), as: UTF8.self)
    }
}

private struct DocumentWriter {
    var reader: BSONReader
    let isPretty: Bool
    var text: [UInt8]

    /// Beyond it, a reader that makes doubles of numbers, as JavaScript does, would round.
    private static let exactIntegers: ClosedRange<Int64> = -(1 << 53)...(1 << 53)

    mutating func document(_ mask: FieldMask, depth: Int) throws(BSONError) {
        let (outerEnd, close) = try reader.open(depth)
        text.append(UInt8(ascii: "{"))
        var isFirst = true
        while true {
            let type = try reader.byte()
            if type == 0 { break }
            let start = reader.at
            try reader.skipCString()
            let name = UnsafeRawBufferPointer(rebasing: reader.bytes[start..<(reader.at - 1)])
            let mask = mask[name]
            guard mask.showsValues || (mask != .none && (type == BSONType.document || type == BSONType.array)) else {
                try reader.skipValue(type)
                continue
            }
            next(&isFirst, depth)
            quote(name)
            text.append(UInt8(ascii: ":"))
            if isPretty { text.append(UInt8(ascii: " ")) }
            try value(type, mask, depth: depth + 1)
        }
        try reader.close(outerEnd, close)
        end(isFirst, depth, UInt8(ascii: "}"))
    }

    private mutating func array(_ mask: FieldMask, depth: Int) throws(BSONError) {
        let (outerEnd, close) = try reader.open(depth)
        text.append(UInt8(ascii: "["))
        var (isFirst, index) = (true, 0)
        while true {
            let type = try reader.byte()
            if type == 0 { break }
            try reader.skipCString()
            let mask = mask.element(index)
            index += 1
            guard mask.showsValues || (mask != .none && (type == BSONType.document || type == BSONType.array)) else {
                try reader.skipValue(type)
                continue
            }
            next(&isFirst, depth)
            try value(type, mask, depth: depth + 1)
        }
        try reader.close(outerEnd, close)
        end(isFirst, depth, UInt8(ascii: "]"))
    }

    private mutating func value(_ type: UInt8, _ mask: FieldMask, depth: Int) throws(BSONError) {
        switch type {
        case BSONType.document: try document(mask, depth: depth)
        case BSONType.array: try array(mask, depth: depth)
        case BSONType.string:
            let count = try reader.stringLength()
            quote(UnsafeRawBufferPointer(rebasing: reader.bytes[reader.at..<(reader.at + count - 1)]))
            reader.at += count
        case BSONType.int64:
            let number = try reader.integer(Int64.self)
            if Self.exactIntegers.contains(number) { text += String(number).utf8 } else { JSON.append(quoted: String(number).utf8, to: &text) }
        default: JSON.append(try reader.value(type, depth: depth), indent: isPretty ? depth : nil, to: &text)
        }
    }

    /// What is no UTF-8 is repaired: the answer must be JSON.
    private mutating func quote(_ bytes: UnsafeRawBufferPointer) {
        let isASCII = bytes.reduce(0, |) < 0x80
        if isASCII { JSON.append(quoted: bytes, to: &text) } else { JSON.append(quoted: String(decoding: bytes, as: UTF8.self).utf8, to: &text) }
    }

    private mutating func next(_ isFirst: inout Bool, _ depth: Int) {
        if !isFirst { text.append(UInt8(ascii: ",")) }
        isFirst = false
        if isPretty { newline(depth + 1) }
    }

    private mutating func end(_ isEmpty: Bool, _ depth: Int, _ close: UInt8) {
        if isPretty, !isEmpty { newline(depth) }
        text.append(close)
    }

    private mutating func newline(_ depth: Int) {
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }
}
