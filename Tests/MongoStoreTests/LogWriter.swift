import EventFixtures
import Events
import MongoStore
import Projector
import Values

/// Appends chunks one behind the other, as the ingest of a partition does.
struct LogWriter {
    let log: MongoLog
    var partition = PartitionID(stream: "product", number: 0)
    var settings = StreamSettings(name: "product")
    var window = DedupeWindow(bounds: .init(age: .max, originals: 1_000_000))
    /// Where the next chunk goes.
    var place = ChunkBuilder.Place(offset: 0, totals: LogTotals(), segment: "segment-1", index: 0, at: 1_700_000_000_000, age: 0)

    init(_ log: MongoLog) { self.log = log }

    /// The chunk of these elements at the next place; nothing is stored.
    func chunk(_ elements: [String]) -> Chunk {
        let raw = RawElements(elements, limit: settings.maxEventBytes)
        return ChunkBuilder(settings: settings, partition: partition).build(raw, raw.parse(), from: 0, at: place, window: window)
    }

    /// Stores the chunk of these elements, `after` milliseconds after the one before.
    @discardableResult
    mutating func append(_ elements: [String], after milliseconds: Int64 = 1000) async throws -> Chunk {
        if place.offset > 0 {
            place.at += milliseconds
            place.age += milliseconds
        }
        let chunk = chunk(elements)
        guard try await log.append(chunk) == .appended else { throw Refusal(.badInput, "the chunk collided") }
        place.offset = chunk.end
        place.index += Int64(chunk.count)
        place.totals = chunk.totals
        return chunk
    }

    /// Stores chunks of so many new events each.
    mutating func append(chunks: Int, of events: Int, after milliseconds: Int64 = 1000) async throws {
        for _ in 0..<chunks {
            let offset = place.offset
            try await append((0..<Int64(events)).map { event("\(offset + $0)") }, after: milliseconds)
        }
    }
}

/// An event as a producer writes it.
func event(_ id: String, _ type: String = "stockAdjusted", key: String = "p-1", _ data: Value = ["delta": 1]) -> String {
    EventText(id, type, key: .string(key), data: data).json
}
