import Values

// A shape as a field of a chunk: `{format: "native" | "cloudevents" | "debezium" | "pointers", outbox?, pointers?, types?}`.
extension EventShape {
    var document: Document {
        var document: Document = ["format": .string(format.name)]
        if case .debezium(let debezium) = format, let outbox = debezium.outbox { document.append("outbox", .string(outbox)) }
        if case .pointers(let pointers) = format {
            document.append("pointers", .document(Document(pointers.places.map { Document.Field($0.name, .string($0.pointer.description)) })))
        }
        if !types.isEmpty {
            // Pairs, because names on a path may hold anything.
            let types = types.paths.map { Value.array([.array($0.path.map(Value.string)), .string($0.type.rawValue)]) }
            document.append("types", .array(types))
        }
        return document
    }

    /// nil when it is not what `document` gives: a format that this version does not know is not guessed at.
    init?(_ document: Document) {
        switch document["format"]?.asString {
        case EventFormat.native.name: format = .native
        case EventFormat.cloudEvents.name: format = .cloudEvents
        case "debezium": format = .debezium(DebeziumFormat(outbox: document["outbox"]?.asString))
        case "pointers":
            guard let pointers = document["pointers"]?.asDocument.flatMap(EventPointers.init) else { return nil }
            format = .pointers(pointers)
        default: return nil
        }
        types = TypeTree()
        guard let stored = document["types"] else { return }
        guard let pairs = stored.asArray else { return nil }
        for pair in pairs {
            guard let pair = pair.asArray, pair.count == 2, let path = pair[0].asArray, let type = pair[1].asString.flatMap(ValueType.init) else { return nil }
            let names = path.compactMap(\.asString)
            guard names.count == path.count, types.insert(type, at: names[...]) else { return nil }
        }
    }
}

extension EventFormat {
    fileprivate var name: String {
        switch self {
        case .native: "native"
        case .cloudEvents: "cloudevents"
        case .debezium: "debezium"
        case .pointers: "pointers"
        }
    }
}

extension EventPointers {
    fileprivate var places: [(name: String, pointer: JSONPointer)] {
        let all: [(String, JSONPointer?)] = [
            ("eventId", eventId), ("eventType", eventType), ("key", key), ("occurredAt", occurredAt), ("schemaVersion", schemaVersion), ("data", data),
        ]
        return all.compactMap { name, pointer in pointer.map { (name, $0) } }
    }

    fileprivate init?(_ document: Document) {
        var pointers: [String: JSONPointer] = [:]
        for field in document.fields {
            guard let pointer = field.value.asString.flatMap(JSONPointer.init) else { return nil }
            pointers[field.name] = pointer
        }
        guard let eventId = pointers["eventId"], let eventType = pointers["eventType"] else { return nil }
        self.init(eventId: eventId, eventType: eventType)
        key = pointers["key"]
        occurredAt = pointers["occurredAt"]
        schemaVersion = pointers["schemaVersion"]
        data = pointers["data"]
    }
}
