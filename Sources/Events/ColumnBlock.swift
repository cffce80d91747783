import Values

/// The columns of a chunk: the types, the refusals, and of each element kind, type, key, time, length and reference,
/// column after column, as variable-length integers (LEB128, signed ones zigzag; times as differences).
enum ColumnBlock {
    static func encode(_ chunk: Chunk) -> [UInt8] {
        var out = VarintWriter()
        out.bytes.reserveCapacity(chunk.elements.count * 8)
        out.write(strings: chunk.types.map(\.text))
        out.write(strings: chunk.refusals.map(\.problem.rawValue))
        out.write(strings: chunk.refusals.map(\.message))
        for element in chunk.elements { out.bytes.append(element.kind.rawValue) }
        for element in chunk.elements { out.write(UInt64(element.type + 1)) }
        for element in chunk.elements { out.write(UInt64(element.key + 1)) }
        var last: Int64 = 0
        for element in chunk.elements {
            // Wrapping differences, so that `Int64.min`, which stands for no time, needs no case of its own.
            out.write(signed: element.time &- last)
            last = element.time
        }
        for element in chunk.elements { out.write(UInt64(element.length)) }
        for element in chunk.elements where element.kind != .event { out.write(UInt64(element.reference)) }
        return out.bytes
    }

    static func decode(_ bytes: [UInt8], count: Int, into chunk: inout Chunk) throws(ChunkError) {
        var input = VarintReader(bytes: bytes)
        chunk.types = try input.strings().map { ExactString($0) }
        let problems = try input.strings()
        let messages = try input.strings()
        guard problems.count == messages.count else { throw .damaged("the refusals do not fit together") }
        chunk.refusals = zip(problems, messages).map { Refusal(Problem(rawValue: $0), $1) }
        var elements: [Chunk.Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            guard let kind = Chunk.Element.Kind(rawValue: try input.byte()) else { throw .damaged("an element's kind is unknown") }
            elements.append(Chunk.Element(kind: kind))
        }
        for place in elements.indices { elements[place].type = try input.index(below: chunk.types.count) }
        for place in elements.indices { elements[place].key = try input.index(below: chunk.keys.count) }
        var time: Int64 = 0
        for place in elements.indices {
            time = time &+ (try input.signed())
            elements[place].time = time
        }
        var start = 0
        for place in elements.indices {
            let length = try input.unsigned()
            guard length <= UInt64(chunk.raw.count - start) else { throw .damaged("an element ends outside the raw bytes") }
            elements[place].start = start
            elements[place].length = Int(length)
            start += Int(length)
        }
        for place in elements.indices where elements[place].kind != .event {
            guard let reference = Int64(exactly: try input.unsigned()) else { throw .damaged("a reference is out of range") }
            guard elements[place].kind != .refused || reference < chunk.refusals.count else { throw .damaged("a refusal is missing") }
            elements[place].reference = reference
        }
        for element in elements where element.kind == .event && (element.type < 0 || element.key < 0) {
            throw .damaged("an event has no type or no key")
        }
        chunk.elements = elements
    }
}

struct VarintWriter {
    var bytes: [UInt8] = []

    mutating func write(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func write(signed number: Int64) {
        write(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
    }

    mutating func write(strings: [String]) {
        write(UInt64(strings.count))
        for string in strings {
            write(UInt64(string.utf8.count))
            bytes.append(contentsOf: string.utf8)
        }
    }
}

struct VarintReader {
    let bytes: [UInt8]
    var at = 0

    mutating func byte() throws(ChunkError) -> UInt8 {
        guard at < bytes.count else { throw .damaged("the columns end early") }
        defer { at += 1 }
        return bytes[at]
    }

    mutating func unsigned() throws(ChunkError) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
            shift += 7
            guard shift < 64 else { throw .damaged("a number is too long") }
        }
    }

    mutating func signed() throws(ChunkError) -> Int64 {
        let number = try unsigned()
        return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }

    /// An index below `limit`, or -1.
    mutating func index(below limit: Int) throws(ChunkError) -> Int32 {
        let number = try unsigned()
        guard number <= UInt64(limit) else { throw .damaged("an index is out of range") }
        return Int32(number) - 1
    }

    mutating func strings() throws(ChunkError) -> [String] {
        let count = try unsigned()
        guard count <= UInt64(bytes.count) else { throw .damaged("a table is too long") }
        var strings: [String] = []
        for _ in 0..<count {
            let length = try unsigned()
            guard length <= UInt64(bytes.count - at) else { throw .damaged("a text ends outside the columns") }
            strings.append(String(decoding: bytes[at..<(at + Int(length))], as: UTF8.self))
            at += Int(length)
        }
        return strings
    }
}
