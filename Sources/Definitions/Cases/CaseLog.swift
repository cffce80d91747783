import Events
import Values

/// Elements of a case as the log would hold them. The first has offset 1, so that an event's number is its offset; the
/// documents that are there before it have 0.
struct CaseLog {
    private let settings: StreamSettings
    private(set) var chunks: [DecodedChunk] = []
    static let start: Int64 = 1

    var end: Int64 { chunks.last?.chunk.end ?? Self.start }

    /// One partition takes every key, and what a case has fits into one chunk.
    init(_ stream: StreamSettings) {
        var settings = stream
        settings.partitions = 1
        settings.chunkEvents = StreamSettings.chunkEventsRange.upperBound
        settings.chunkBytes = StreamSettings.chunkBytesRange.upperBound
        self.settings = settings
    }

    /// An element, with its number in its case, which its id is made of, and how long after the first instant it is logged.
    struct Entry {
        var number: Int
        var element: Case.Element
        var delay: Int64
    }

    /// Logs elements with a dedupe window of their own, those of one instant in a chunk: an element that was logged before is
    /// an event again.
    ///
    /// - Parameter suffix: makes the ids fresh.
    mutating func append(_ elements: [Entry], suffix: String = "") {
        let window = DedupeWindow(bounds: .init(age: .max, originals: Case.maximumElements))
        var rest = elements[...]
        while let delay = rest.first?.delay {
            let instant = rest.prefix { $0.delay == delay }
            append(instant, suffix, at: Self.time + delay, window)
            rest = rest.dropFirst(instant.count)
        }
    }

    private mutating func append(_ elements: ArraySlice<Entry>, _ suffix: String, at time: Int64, _ window: DedupeWindow) {
        var raw = RawElements()
        for entry in elements {
            Array(text(entry.element, entry.number, suffix).utf8).withUnsafeBytes { raw.append($0, limit: settings.maxEventBytes) }
        }
        let tape = raw.parse()
        let builder = ChunkBuilder(settings: settings, partition: PartitionID(stream: settings.name, number: 0))
        var first = 0
        while first < raw.count {
            let place = ChunkBuilder.Place(
                offset: end, totals: chunks.last?.chunk.totals ?? LogTotals(), segment: "case", index: end - Self.start, at: time, age: 0
            )
            let chunk = builder.build(raw, tape, from: first, at: place, window: window)
            chunks.append(DecodedChunk(chunk: chunk, tape: tape, firstText: first))
            first += chunk.count
        }
    }

    /// The first instant, at which a case's documents were last changed: nothing depends on the clock.
    static let time: Int64 = 1_767_225_600_000

    private func text(_ element: Case.Element, _ number: Int, _ suffix: String) -> String {
        switch element {
        case .text(let text): return text
        case .event(var event):
            let name: String? =
                switch settings.shape.format {
                case .native: "eventId"
                case .cloudEvents: "id"
                case .debezium, .pointers: nil
                }
            if let name {
                let id = event[name] ?? .string("event-\(number)")
                if event[name] == nil {
                    event.fields.insert(Document.Field(name, id), at: 0)
                }
                if !suffix.isEmpty, let text = id.asString { event[name] = .string(text + suffix) }
            }
            return JSON.write(.document(event))
        }
    }
}
