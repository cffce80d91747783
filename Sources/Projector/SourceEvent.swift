import Events
import Models
import Values

/// A row of a source of truth as the event that it is, before it has an id.
struct SourceEvent: Sendable {
    let key: String
    /// When it happened, where it says so: milliseconds since 1970.
    let time: Int64?
    let fields: Document

    /// Throws for a row that is no event, or not one of this stream.
    init(row: [UInt8], _ mapping: RowMapping, _ stream: StreamSettings) throws(Refusal) {
        fields = try mapping.event(of: row)
        (key, time) = try Self.read(Self.element(fields, id: "row"), stream) { event throws(Refusal) in (event.key, event.time) }
    }

    /// The events of some rows; those that are none are noted. Throws for what is no row at all: who prints that may print anything.
    ///
    /// - Parameter number: how many rows were before these.
    static func events(
        of page: [[UInt8]], from number: Int64, _ mapping: RowMapping, _ stream: StreamSettings, _ refusals: inout RowRefusals
    ) throws(Refusal) -> [SourceEvent] {
        var events: [SourceEvent] = []
        events.reserveCapacity(page.count)
        for (place, row) in page.enumerated() {
            do throws(Refusal) {
                events.append(try SourceEvent(row: row, mapping, stream))
            } catch {
                let name = "row \(number + Int64(place) + 1) of the source of truth"
                guard error.problem != .badInput else {
                    throw Refusal(.badInput, "\(name): \(error.message): \(String(decoding: row.prefix(80), as: UTF8.self))")
                }
                refusals.note(error, name)
            }
        }
        return events
    }

    /// About the bytes that it takes.
    var size: Int { BSON.size(of: fields) }

    /// As it is pushed.
    func element(id: String) -> [UInt8] { Self.element(fields, id: id) }

    private static func element(_ fields: Document, id: String) -> [UInt8] {
        Array(JSON.write(.document(Document([Document.Field("eventId", .string(id))] + fields.fields))).utf8)
    }

    /// What a document becomes by it. It goes the way of every event: it is written as an element, and read as the stream reads it.
    func fold(_ fold: any Folding, onto before: Document?, _ stream: StreamSettings) throws(Refusal) -> Document? {
        try Self.read(element(id: "row"), stream) { event throws(Refusal) in
            var document = before
            guard fold.handles(event.type), try fold.fold(event, into: &document) else { return before }
            return document
        }
    }

    private static func read<Answer>(_ element: [UInt8], _ stream: StreamSettings, _ body: (Event) throws(Refusal) -> Answer) throws(Refusal) -> Answer {
        guard element.count <= stream.maxEventBytes.bytes else {
            throw Refusal(.oversize, "its event has \(element.count) bytes, above the \(stream.maxEventBytes.bytes) that the stream takes")
        }
        var elements = RawElements()
        element.withUnsafeBytes { elements.append($0) }
        let tape = elements.parse()
        let result: Result<Answer, Refusal> = withExtendedLifetime(tape) {
            do throws(Refusal) {
                switch tape.root(0) {
                case .failure(let problem): throw Refusal(Problem(problem), "its event is none")
                case .success(let root):
                    let envelope = try stream.envelope(of: root)
                    let event = Event(
                        type: ExactString(envelope.type.string), key: envelope.key.string, time: envelope.time, root: root, shape: stream.shape)
                    return .success(try body(event))
                }
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
