import EventFixtures
import Fixtures
import Values

@testable import Events

enum EventsTarget {
    /// A stream of each format.
    private static let streams: [StreamSettings] = [EventFormat.native, .cloudEvents, .debezium(DebeziumFormat(outbox: "outbox"))].map { format in
        var settings = StreamSettings(name: "fuzz")
        settings.maxEventBytes = .kibibytes(4)
        settings.partitions = 2
        settings.shape.format = format
        return settings
    }

    static func check(_ input: [UInt8]) -> String? {
        for settings in streams {
            if let finding = check(input, settings) { return finding }
        }
        return nil
    }

    private static func check(_ input: [UInt8], _ settings: StreamSettings) -> String? {
        let texts = input.split(separator: UInt8(ascii: "\n"), maxSplits: 63, omittingEmptySubsequences: false).map(Array.init)
        var elements = RawElements()
        for text in texts { text.withUnsafeBytes { elements.append($0, limit: settings.maxEventBytes) } }
        let tape = elements.parse()
        let chunk = ChunkBuilder(settings: settings, partition: PartitionID(stream: "fuzz", number: 0)).build(
            elements, tape, from: 0, at: .init(offset: 7, totals: LogTotals(), segment: "segment", index: 3, at: 1_000_000, age: 5),
            window: DedupeWindow(bounds: .init(age: .max, originals: 100))
        )
        guard chunk.count == texts.count else { return "\(texts.count) elements make \(chunk.count)" }
        return neighbours(texts, elements, tape, settings) ?? values(tape, elements) ?? stored(chunk, tape)
    }

    /// Each element is read as if it were alone.
    private static func neighbours(_ texts: [[UInt8]], _ elements: RawElements, _ tape: JSONTape, _ settings: StreamSettings) -> String? {
        for (number, text) in texts.enumerated() where elements.oversize[number] == nil {
            var alone = RawElements()
            text.withUnsafeBytes { alone.append($0) }
            let other = alone.parse()
            guard reading(tape, number, settings) == reading(other, 0, settings) else { return "element \(number) is read differently beside the others" }
        }
        return nil
    }

    private enum Reading: Equatable {
        case refused(Refusal)
        case problem(JSONProblem)
        case event(id: String, type: String, key: String, time: Int64?, Value)
    }

    private static func reading(_ tape: JSONTape, _ number: Int, _ settings: StreamSettings) -> Reading {
        switch tape.root(number) {
        case .failure(let problem): return .problem(problem)
        case .success(let root):
            do throws(Refusal) {
                let envelope = try settings.envelope(of: root)
                return .event(id: envelope.id.string, type: envelope.type.string, key: envelope.key.string, time: envelope.time, root.value)
            } catch { return .refused(error) }
        }
    }

    /// A value that is written as JSON is read as the same value, and equal values have one digest.
    private static func values(_ tape: JSONTape, _ elements: RawElements) -> String? {
        for number in 0..<elements.count {
            guard case .success(let root) = tape.root(number) else { continue }
            let value = root.value
            guard case .success(let again) = JSONText.parse(JSON.write(value)), again == value else { return "element \(number) is written as another value" }
            var (hasher, other) = (DigestHasher(), DigestHasher())
            root.digest(into: &hasher)
            let digests = JSONText.read([Array(JSON.write(value).utf8)]) { $0.digest(into: &other) }
            guard digests.count == 1, hasher.finalize() == other.finalize() else { return "element \(number) has two digests" }
        }
        return nil
    }

    /// The chunk comes back from the log as it was, event by event.
    private static func stored(_ chunk: Chunk, _ tape: JSONTape) -> String? {
        guard let document = try? Document(bson: ChunkCodec.encode(chunk)), let read = try? ChunkCodec.decode(document) else {
            return "the chunk cannot be read"
        }
        let differences = read.differences(from: chunk)
        guard differences.isEmpty else { return "the chunk comes back with other \(differences)" }
        let (before, after) = (DecodedChunk(chunk: chunk, tape: tape, firstText: 0), DecodedChunk(parsing: read))
        for place in chunk.elements.indices {
            let (event, again) = (before.event(at: place), after.event(at: place))
            guard (event != nil) == (chunk.elements[place].kind == .event), members(event) == members(again) else {
                return "event \(place) comes back as another"
            }
        }
        return nil
    }

    private static func members(_ event: Event?) -> [Value?] { event.map { event in Event.MemberName.allCases.map { event.value($0, []) } } ?? [] }
}
