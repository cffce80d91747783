import Events
import Projector
import Reads
import Values

/// The read API's tokens: `{_id, format, name, hash, models, fields, rate, consistency, created, expires, revoked}`; what sets no
/// limit is null. The hash is SHA-256 of a random text, which is kept nowhere.
public struct MongoTokens: Sendable {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    /// All that there are or were, the oldest first, and MongoDB's clock.
    public func all() async throws -> (tokens: [AccessToken], clock: Int64) { try await connection.tokens(database) }

    /// The same, without those that cannot be read: they let nobody in.
    public func readable() async throws -> (tokens: [AccessToken], clock: Int64) { try await connection.readableTokens(database) }

    /// - Parameter lifetime: nil for one that does not expire.
    public func create(_ token: AccessToken, lifetime: Duration?) async throws { try await connection.create(database, token, lifetime) }

    /// False where there is none of this id. One that was revoked before stays as it was.
    public func revoke(_ id: String) async throws -> Bool { try await connection.revoke(database, id) }
}

extension MongoConnection {
    fileprivate func tokens(_ database: String) throws -> ([AccessToken], Int64) {
        let tokens = try documents(database, Collections.tokens, [:], options: ["sort": ["created": 1]], "read tokens").map(decode)
        return (tokens, try clock())
    }

    /// One that is there and cannot be read still says that tokens are needed.
    fileprivate func readableTokens(_ database: String) throws -> ([AccessToken], Int64) {
        let tokens = try documents(database, Collections.tokens, [:], "read tokens").map { stored in
            (try? decode(stored)) ?? AccessToken(id: "", name: "", hash: [], created: 0, revoked: 0)
        }
        return (tokens, try clock())
    }

    private func decode(_ stored: Document) throws -> AccessToken {
        try StoredFormat.check(stored, "a token of the read API")
        guard let id = stored["_id"]?.asString, let name = stored["name"]?.asString, let hash = stored["hash"]?.asBinary,
            let created = stored["created"]?.asDate,
            let consistency = stored["consistency"]?.asString.flatMap(ReadConsistency.init)
        else { throw Refusal(.logDamaged, "a token lacks a field: remove \(stored["_id"].map(JSON.write) ?? "it") from \(Collections.tokens)") }
        // What sets a limit and cannot be read must not be taken for none.
        func limit<Limit>(_ name: String, _ read: (Value) -> Limit?) throws -> Limit? {
            guard let value = stored[name], value != .null else { return nil }
            guard let limit = read(value) else {
                throw Refusal(.logDamaged, "the token \(id) has \(name) that cannot be read: remove it from \(Collections.tokens)")
            }
            return limit
        }
        func texts(_ value: Value) -> [String]? { value.asArray?.map(\.asString) as? [String] }
        return try AccessToken(
            id: id, name: name, hash: Array(hash), models: limit("models", texts), fields: limit("fields", texts),
            rate: limit("rate") { $0.asInteger.flatMap { Int(exactly: $0) } }, consistency: consistency, created: created,
            expires: limit("expires", \.asDate), revoked: limit("revoked", \.asDate))
    }

    fileprivate func create(_ database: String, _ token: AccessToken, _ lifetime: Duration?) throws {
        let now = try clock()
        let stored: Document = [
            "_id": .string(token.id), "format": .int32(StoredFormat.current), "name": .string(token.name), "hash": .binary(token.hash),
            "models": token.models.map { .array($0.map(Value.string)) } ?? .null, "fields": token.fields.map { .array($0.map(Value.string)) } ?? .null,
            "rate": token.rate.map { .int32(Int32(clamping: $0)) } ?? .null, "consistency": .string(token.consistency.rawValue), "created": .date(now),
            "expires": lifetime.map { .date(now + $0.milliseconds) } ?? .null, "revoked": .null,
        ]
        let command: Document = ["insert": .string(Collections.tokens), "documents": [.document(stored)]]
        try Self.check(try run(database, BSON.encode(command), .write, "make a token"), "make a token")
    }

    fileprivate func revoke(_ database: String, _ id: String) throws -> Bool {
        let command: Document = [
            "update": .string(Collections.tokens),
            "updates": [["q": ["_id": .string(id)], "u": [["$set": ["revoked": ["$ifNull": ["$revoked", "$$NOW"]]]]]]],
        ]
        let reply = try run(database, BSON.encode(command), .write, "revoke a token")
        try Self.check(reply, "revoke a token")
        return reply["n"]?.asInteger == 1
    }
}
