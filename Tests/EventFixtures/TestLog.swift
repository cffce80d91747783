import Events
import Values

/// The log of one partition, in memory: chunks as ingest decides them.
public final class TestLog {
    public var settings: StreamSettings
    public let partition: PartitionID
    public let window: DedupeWindow
    public private(set) var chunks: [DecodedChunk] = []
    /// Time of logging, in milliseconds since 1970: for the caller to move on.
    public var clock: Int64 = 1_000_000

    public init(settings: StreamSettings = TestLog.settings, partition: Int = 0, bounds: DedupeWindow.Bounds = .init(age: 3_600_000, originals: 1000)) {
        self.settings = settings
        self.partition = PartitionID(stream: settings.name, number: partition)
        window = DedupeWindow(bounds: bounds)
    }

    public static let settings = StreamSettings(name: "test")

    /// Logs texts as one segment, in as many chunks as the settings ask for, and returns those.
    @discardableResult
    public func append(_ texts: [String]) -> [DecodedChunk] { append(RawElements(texts)) }

    @discardableResult
    public func append(_ elements: RawElements) -> [DecodedChunk] {
        let tape = elements.parse()
        let segment = "segment-\(chunks.count)"
        var first = 0
        var added: [DecodedChunk] = []
        while first < elements.count {
            let last = chunks.last?.chunk
            let age = last.map { $0.age + min(clock - $0.at, Chunk.maximumAgeStep) } ?? 0
            let place = ChunkBuilder.Place(
                offset: last?.end ?? 0, totals: last?.totals ?? LogTotals(), segment: segment, index: Int64(first), at: clock, age: age
            )
            let chunk = ChunkBuilder(settings: settings, partition: partition).build(elements, tape, from: first, at: place, window: window)
            let decoded = DecodedChunk(chunk: chunk, tape: tape, firstText: first)
            chunks.append(decoded)
            added.append(decoded)
            first += chunk.count
        }
        return added
    }

    public var end: Int64 { chunks.last?.chunk.end ?? 0 }
}

extension RawElements {
    public init(_ texts: [String], limit: ByteCount = .mebibytes(1)) {
        self.init()
        for text in texts { Array(text.utf8).withUnsafeBytes { append($0, limit: limit) } }
    }
}
