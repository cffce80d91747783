import Events
import Models
import Values

/// A row of a source of truth as the event that it is, before it has an id.
struct SourceEvent: Sendable {
    let key: String
    let fields: Document

    /// Throws for a row that is no event, or not one of this stream.
    init(row: [UInt8], _ mapping: RowMapping, _ stream: StreamSettings) throws(Refusal) {
        fields = try mapping.event(of: row)
        key = try Self.read(Self.element(fields, id: "row"), stream) { event throws(Refusal) in event.key }
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
