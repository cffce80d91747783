/// A document as BSON, of which only what is asked for is decoded. Several may lie in one piece of memory.
public struct RawDocument: Sendable {
    private let storage: [UInt8]
    private let range: Range<Int>

    /// A document that fills the bytes.
    public init(_ bytes: [UInt8]) {
        storage = bytes
        range = bytes.indices
    }

    private init(_ storage: [UInt8], _ range: Range<Int>) {
        self.storage = storage
        self.range = range
    }

    /// In memory of its own.
    public var copied: RawDocument { RawDocument(Array(storage[range])) }

    /// Whether the bytes are the same.
    public func isSame(as other: RawDocument) -> Bool { withBytes { mine in other.withBytes { mine.elementsEqual($0) } } }

    /// In bytes.
    public var size: Int { range.count }

    public func withBytes<Result, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Result) throws(Failure) -> Result {
        // Typed throws do not pass through the standard library's closure.
        let result: Swift.Result<Result, Failure> = storage.withUnsafeBytes { all in
            do throws(Failure) { return .success(try body(UnsafeRawBufferPointer(rebasing: all[range]))) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Calls `body` with each field's name until it returns false; `value` decodes it.
    public func forEachField(_ body: (_ name: UnsafeRawBufferPointer, _ value: () throws(BSONError) -> Value) throws(BSONError) -> Bool) throws(BSONError) {
        try withBytes { (bytes) throws(BSONError) in
            try Self.walk(bytes) { (name, type, reader) throws(BSONError) in
                let start = reader
                try reader.skipValue(type)
                return try body(name) { () throws(BSONError) in
                    var reader = start
                    return try reader.value(type, depth: 1)
                }
            }
        }
    }

    /// The value of a field.
    public func value(_ name: String) throws(BSONError) -> Value? {
        var found: Value?
        try forEachField { (field, value) throws(BSONError) in
            guard field.elementsEqual(name.utf8) else { return true }
            found = try value()
            return false
        }
        return found
    }

    /// The document at a field, undecoded.
    public func document(_ name: String) throws(BSONError) -> RawDocument? { try part(name, BSONType.document) }

    /// The documents of an array, undecoded.
    public func documents(_ name: String) throws(BSONError) -> [RawDocument]? {
        guard let array = try part(name, BSONType.array) else { return nil }
        var documents: [RawDocument] = []
        try array.withBytes { (bytes) throws(BSONError) in
            try Self.walk(bytes) { (_, type, reader) throws(BSONError) in
                let start = reader.at
                try reader.skipValue(type)
                guard type == BSONType.document else { throw BSONError(reason: "an element is \(BSONType.name(type)), not a document") }
                documents.append(RawDocument(storage, (array.range.lowerBound + start)..<(array.range.lowerBound + reader.at)))
                return true
            }
        }
        return documents
    }

    private func part(_ name: String, _ wanted: UInt8) throws(BSONError) -> RawDocument? {
        var found: RawDocument?
        try withBytes { (bytes) throws(BSONError) in
            try Self.walk(bytes) { (field, type, reader) throws(BSONError) in
                let start = reader.at
                try reader.skipValue(type)
                guard field.elementsEqual(name.utf8) else { return true }
                if type == wanted { found = RawDocument(storage, (range.lowerBound + start)..<(range.lowerBound + reader.at)) }
                return false
            }
        }
        return found
    }

    /// Calls `body` at each value of a document's bytes: it must move the reader behind it.
    private static func walk(
        _ bytes: UnsafeRawBufferPointer, _ body: (_ name: UnsafeRawBufferPointer, _ type: UInt8, _ reader: inout BSONReader) throws(BSONError) -> Bool
    ) throws(BSONError) {
        var reader = BSONReader(bytes: bytes, at: 0, end: bytes.count)
        let (outerEnd, close) = try reader.open(0)
        while true {
            let type = try reader.byte()
            if type == 0 { break }
            let start = reader.at
            try reader.skipCString()
            guard try body(UnsafeRawBufferPointer(rebasing: bytes[start..<(reader.at - 1)]), type, &reader) else { return }
        }
        try reader.close(outerEnd, close)
    }
}

extension Document {
    public init(raw: RawDocument) throws(BSONError) { self = try raw.withBytes { (bytes) throws(BSONError) in try Document(bson: bytes) } }
}
