import Events
import Logging
import Models
import Projector
import Values

@testable import MongoStore

/// A model of stocks and names on the real store, folded a second time here in the plainest way.
struct StockKeeper {
    let mongo: TestMongo
    private(set) var writer: LogWriter
    private var fields: [String: (fields: Document, offset: Int64)] = [:]

    static let fold = EffectFold([
        "stockAdjusted": [Effect([.increment(FieldPath(["stock"]), .event(name: .data, path: ["delta"]))])],
        "renamed": [Effect([.set(FieldPath(["name"]), .event(name: .data, path: ["name"]))])],
        "removed": [Effect([.delete])],
    ])

    init(_ mongo: TestMongo) async throws {
        self.mongo = mongo
        writer = LogWriter(try await mongo.log())
    }

    /// A projection with connections and a memory of its own.
    ///
    /// - Parameter meddler: who writes between this one's reading and its writing.
    func projection(limits: BatchLimits = BatchLimits(), meddler: Meddler? = nil) throws -> Projection {
        let store = try mongo.store()
        let log = MongoLog(connection: try mongo.connection(), database: mongo.database)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return Projection(
            build: Commits.build, partition: Commits.partition, fold: Self.fold, store: meddler.map { MeddledStore(store: store, meddler: $0) } ?? store,
            log: log, limits: limits, logger: logger)
    }

    enum Change: Sendable {
        case stock(String, Int32)
        case name(String, String)
        case removal(String)
    }

    /// Logs events, in one chunk.
    mutating func log(_ changes: [Change]) async throws {
        let first = writer.place.offset
        var events: [String] = []
        for (number, change) in changes.enumerated() {
            let offset = first + Int64(number)
            switch change {
            case .stock(let key, let delta):
                events.append(event("\(offset)", "stockAdjusted", key: key, ["delta": .int32(delta)]))
                put(key, "stock", at: offset) { .int32(($0?.asInteger).map { Int32($0) + delta } ?? delta) }
            case .name(let key, let name):
                events.append(event("\(offset)", "renamed", key: key, ["name": .string(name)]))
                put(key, "name", at: offset) { _ in .string(name) }
            case .removal(let key):
                events.append(event("\(offset)", "removed", key: key))
                fields[key] = nil
            }
        }
        try await writer.append(events)
    }

    /// Only an event that changes something moves the document's position.
    private mutating func put(_ key: String, _ field: String, at offset: Int64, _ body: (Value?) -> Value) {
        var document = fields[key]?.fields ?? Document()
        let (before, after) = (document[field], body(document[field]))
        guard before != after else { return }
        document[field] = after
        fields[key] = (document, offset)
    }

    /// Whether every stored document is what its events make it, and there is no other; and each event counted once.
    /// Returns what is wrong.
    func faults() async throws -> [String] {
        let stored = try await mongo.documents(Commits.build.description)
        var faults: [String] = []
        for document in stored {
            let key = document["_id"]?.asString ?? ""
            let expected = fields[key].map { fields in
                let position: Value = ["p": 0, "o": .int64(fields.offset), "t": .date(writer.place.at)]
                return Document([.init("_id", .string(key)), .init("_position", position)] + fields.fields.fields)
            }
            // The time of logging is that of the event's chunk, which is not kept here.
            if Self.untimed(document) != expected.map(Self.untimed) { faults.append("\(key): \(JSON.write(.document(document)))") }
        }
        faults += fields.keys.filter { key in !stored.contains { $0["_id"] == .string(key) } }.map { "\($0) is missing" }
        let checkpoint = try await mongo.store().checkpoint()
        if checkpoint.offset != writer.place.offset || checkpoint.totals.applied != writer.place.offset { faults.append("\(checkpoint)") }
        return faults
    }

    private static func untimed(_ document: Document) -> Document {
        var document = document
        if var position = document["_position"]?.asDocument {
            position["t"] = nil
            document["_position"] = .document(position)
        }
        return document
    }

    /// Documents that were found not to be what the log makes them.
    func drift() async throws -> Int64 { try await mongo.store().checkpoint().totals.drift }
}

extension Projection {
    /// Takes everything in the log into effect.
    func drain() async throws {
        while try await !turn([], tail: nil) {}
    }
}
