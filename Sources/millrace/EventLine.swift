import Events
import Values

/// One element of the log as it is shown.
struct EventLine {
    let chunk: Chunk
    let element: Chunk.Element
    let event: Event?
    let position: Position

    private var kind: String {
        switch element.kind {
        case .event: "event"
        case .duplicate: "duplicate"
        case .refused: "refused"
        case .erased: "erased"
        }
    }

    var document: Document {
        var document: Document = [
            "position": .string(position.description), "partition": .int64(Int64(position.partition.number)), "offset": .int64(position.offset),
            "kind": .string(kind), "loggedAt": .date(chunk.at),
        ]
        if let type = chunk.type(of: element) { document.append("eventType", .string(type)) }
        if let key = chunk.key(of: element) { document.append("key", .string(key)) }
        if let time = chunk.time(of: element) { document.append("occurredAt", .date(time)) }
        switch element.kind {
        case .event:
            if let id = event?.value(.eventId, []) { document.append("eventId", id) }
            if let event { document.append("event", event.root.value) }
        case .erased: break
        case .duplicate: document.append("original", .int64(element.reference))
        case .refused:
            let refusal = chunk.refusals[Int(element.reference)]
            document.append("problem", .string(refusal.problem.rawValue))
            document.append("message", .string(refusal.message))
            document.append("base64", .string(Base64.encode(chunk.raw[element.start..<(element.start + element.length)])))
        }
        return document
    }

    var text: String {
        let what =
            switch element.kind {
            case .event: event.map { JSON.write($0.root.value) } ?? ""
            case .erased: "erased"
            case .duplicate: "duplicate of offset \(element.reference)"
            case .refused: "refused, \(chunk.refusals[Int(element.reference)])"
            }
        return "\(position)  \(DateTime.format(milliseconds: chunk.at))  \(what)"
    }
}

/// Makes lines of elements of the log, up to a limit.
struct EventPrinter {
    var incarnation: String
    let key: String?
    let isJSON: Bool
    /// How many more are wanted.
    private(set) var left: Int

    init(incarnation: String, key: String?, isJSON: Bool, limit: Int) {
        self.incarnation = incarnation
        self.key = key
        self.isJSON = isJSON
        left = limit
    }

    /// The lines of what is wanted of a chunk, and the offset after the last element that was looked at.
    mutating func lines(of chunk: Chunk, _ offsets: Range<Int64>) -> (text: [UInt8], end: Int64) {
        let decoded = DecodedChunk(parsing: chunk, offsets)
        var text: [UInt8] = []
        for (place, element) in chunk.elements.enumerated() where offsets.contains(chunk.offset + Int64(place)) {
            let offset = chunk.offset + Int64(place)
            guard left > 0 else { return (text, offset) }
            if let key, !(chunk.key(of: element)?.utf8Equal(key) ?? false) { continue }
            let position = Position(incarnation: incarnation, partition: chunk.partition, offset: offset)
            let line = EventLine(chunk: chunk, element: element, event: decoded.event(at: place), position: position)
            text += (isJSON ? JSON.write(.document(line.document)) : line.text).utf8
            text.append(UInt8(ascii: "\n"))
            left -= 1
        }
        return (text, min(chunk.end, offsets.upperBound))
    }
}
