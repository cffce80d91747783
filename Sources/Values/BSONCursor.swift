/// Writes BSON into memory that has room for it: what is written is measured first, and no step has to ask whether the
/// array must grow, which took most of the time.
public struct BSONCursor {
    private(set) var at: UnsafeMutableRawPointer

    init(at: UnsafeMutableRawPointer) { self.at = at }

    static func size(of document: Document) -> Int {
        document.fields.reduce(5) { $0 + 2 + $1.name.utf8.count + size(of: $1.value) }
    }

    static func size(of value: Value) -> Int {
        switch value {
        case .null: 0
        case .bool: 1
        case .int32: 4
        case .int64, .double, .date: 8
        case .decimal: 16
        case .string(let value): 5 + value.utf8.count
        case .document(let value): size(of: value)
        case .array(let values):
            values.reduce(into: (size: 5, index: 0)) { sum, value in
                sum.size += 2 + sum.index.nameSize + size(of: value)
                sum.index += 1
            }.size
        case .other(let value): value.bytes.count
        }
    }

    mutating func write(_ document: Document) {
        let start = open()
        writeMembers(of: document)
        close(start)
    }

    public mutating func writeMembers(of document: Document) {
        for field in document.fields { write(named: field.name, field.value) }
    }

    public mutating func write(_ name: String, _ value: Value) { write(named: name, value) }

    private mutating func write(named name: some BSONName, _ value: Value) {
        switch value {
        case .null: write(BSONType.null, name)
        case .bool(let value):
            write(BSONType.bool, name)
            byte(value ? 1 : 0)
        case .int32(let value):
            write(BSONType.int32, name)
            integer(value)
        case .int64(let value):
            write(BSONType.int64, name)
            integer(value)
        case .double(let value):
            write(BSONType.double, name)
            integer(value.bitPattern)
        case .date(let value):
            write(BSONType.date, name)
            integer(value)
        case .decimal(let value):
            write(BSONType.decimal128, name)
            integer(value.low)
            integer(value.high)
        case .string(let value):
            write(BSONType.string, name)
            integer(Int32(value.utf8.count + 1))
            text(value)
            byte(0)
        case .document(let value):
            write(BSONType.document, name)
            write(value)
        case .array(let values):
            write(BSONType.array, name)
            let start = open()
            for (index, value) in values.enumerated() { write(named: index, value) }
            close(start)
        case .other(let value):
            write(value.type, name)
            value.bytes.withUnsafeBytes { bytes($0) }
        }
    }

    /// Type and name of an element.
    mutating func write(_ type: UInt8, _ name: some BSONName) {
        byte(type)
        name.writeName(to: &self)
        byte(0)
    }

    /// A document of this name whose members are written next.
    public mutating func open(_ name: String) -> UnsafeMutableRawPointer {
        write(BSONType.document, name)
        return open()
    }

    /// Where a document begins, which `close` is given.
    public mutating func open() -> UnsafeMutableRawPointer {
        defer { at += 4 }
        return at
    }

    public mutating func close(_ start: UnsafeMutableRawPointer) {
        byte(0)
        start.storeBytes(of: Int32(at - start).littleEndian, as: Int32.self)
    }

    private mutating func byte(_ value: UInt8) {
        at.storeBytes(of: value, as: UInt8.self)
        at += 1
    }

    private mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) {
        at.storeBytes(of: value.littleEndian, as: Integer.self)
        at += MemoryLayout<Integer>.size
    }

    fileprivate mutating func text(_ text: String) {
        // Every native string has its bytes in one place, and is not copied for them.
        guard text.utf8.withContiguousStorageIfAvailable({ bytes(UnsafeRawBufferPointer($0)) }) == nil else { return }
        Array(text.utf8).withUnsafeBytes { bytes($0) }
    }

    private mutating func bytes(_ source: UnsafeRawBufferPointer) {
        guard let base = source.baseAddress else { return }
        at.copyMemory(from: base, byteCount: source.count)
        at += source.count
    }

    /// A number that is not negative, in decimal.
    fileprivate mutating func decimal(_ number: Int) {
        let end = at + number.nameSize
        var (rest, place) = (UInt(bitPattern: number), end)
        repeat {
            place -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            place.storeBytes(of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit), as: UInt8.self)
            rest = quotient
        } while rest > 0
        at = end
    }
}

/// What an element is called: by its name in a document, by its place in an array.
protocol BSONName {
    /// In bytes, without the NUL that ends it.
    var nameSize: Int { get }

    /// Writes so many bytes.
    func writeName(to cursor: inout BSONCursor)
}

extension String: BSONName {
    var nameSize: Int { utf8.count }

    func writeName(to cursor: inout BSONCursor) { cursor.text(self) }
}

extension Int: BSONName {
    var nameSize: Int {
        var (rest, digits) = (self / 10, 1)
        while rest > 0 { (rest, digits) = (rest / 10, digits + 1) }
        return digits
    }

    func writeName(to cursor: inout BSONCursor) { cursor.decimal(self) }
}
