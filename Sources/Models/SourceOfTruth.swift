import Events
import Values

/// `source`: where the rows come from that a model's documents must agree with, and which event each row is.
public struct SourceOfTruth: Sendable {
    public var origin: Origin
    public var mapping: RowMapping
    /// How long a difference must stay as it is before it is drift: events may be on their way.
    public var settle = Duration.seconds(120)

    public init(_ origin: Origin, _ mapping: RowMapping) {
        self.origin = origin
        self.mapping = mapping
    }

    public enum Origin: Sendable {
        /// A program and its arguments: it prints a JSON object a line.
        case command([String])
        /// A path: a JSON object a line.
        case file(String)
        case collection(Collection)
    }

    /// A collection of the same servers.
    public struct Collection: Sendable {
        /// nil for Millrace's own.
        public var database: String?
        public var name: String
        public var pipeline: [Value]

        public init(database: String? = nil, name: String, pipeline: [Value] = []) {
            self.database = database
            self.name = name
            self.pipeline = pipeline
        }
    }
}

/// Which event a row is. The expressions read `$row` alone.
public struct RowMapping: Sendable {
    public var type: Expression
    public var key: Expression
    public var occurredAt: Expression?
    public var schemaVersion: Expression?
    public var data: Expression?

    public init(type: Expression, key: Expression, occurredAt: Expression? = nil, schemaVersion: Expression? = nil, data: Expression? = nil) {
        self.type = type
        self.key = key
        self.occurredAt = occurredAt
        self.schemaVersion = schemaVersion
        self.data = data
    }

    /// Of events that a reconcile pushes.
    public static let origin = "millrace.corrected"

    /// The event that a row is, without an id. Throws `bad-input` for what is no JSON object, and something else for a row
    /// that cannot be an event.
    public func event(of row: [UInt8]) throws(Refusal) -> Document {
        // The row by itself as well: what follows it in its line must not become a part of the element.
        let element = Array("{\"row\":".utf8) + row + Array("}".utf8)
        var elements = RawElements()
        row.withUnsafeBytes { elements.append($0) }
        element.withUnsafeBytes { elements.append($0) }
        let tape = elements.parse()
        let result: Result<Document, Refusal> = withExtendedLifetime(tape) {
            do throws(Refusal) {
                return .success(try event(own: tape.root(0), wrapped: tape.root(1)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func event(own: Result<JSONNode, JSONProblem>, wrapped: Result<JSONNode, JSONProblem>) throws(Refusal) -> Document {
        switch own {
        case .failure(let problem): throw Refusal(.badInput, "it is no JSON: \(problem.rawValue)")
        case .success(let node): guard node.kind == .object else { throw Refusal(.badInput, "it is no JSON object") }
        }
        guard case .success(let root) = wrapped else { throw Refusal(.documentTooDeep, "it is nested too deeply") }
        let context = Context(event: Event(type: "", key: "", time: nil, root: root), before: Document(), isInsert: true)
        guard let type = try type.evaluate(context)?.asString, !type.isEmpty else { throw Refusal(.badEventType, "its event has no type") }
        guard let key = try key.evaluate(context), key != .null else { throw Refusal(.noKey, "its event has no key") }
        var event: Document = ["eventType": .string(type), "key": key]
        for (name, expression) in [("occurredAt", occurredAt), ("schemaVersion", schemaVersion), ("data", data)] {
            if let value = try expression?.evaluate(context) { event.append(name, value) }
        }
        event.append("origin", .string(Self.origin))
        return event
    }
}
