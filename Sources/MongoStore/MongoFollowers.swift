import Events
import Projector
import Values

/// Who has which part of the log, among followers that share a name: `{_id: {f, s, p}, format, next, claims: [{id, o, e, holder, until}]}`.
///
/// What is below `next` was handed out, and what is in no claim of it was acknowledged. A claim runs out by the server's
/// clock, and is then the next one's who asks. Every change is one write to one document.
public struct MongoFollowers: Sendable {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    /// A part of the log that is one follower's until it is acknowledged, or has run out.
    public struct Claim: Hashable, Sendable {
        /// Random for each claim.
        public var id: String
        public var name: String
        public var partition: PartitionID
        public var offsets: Range<Int64>
    }

    /// How far the followers of a name are in a partition.
    public struct Progress: Hashable, Sendable {
        public var name: String
        public var partition: PartitionID
        /// Everything below it was acknowledged.
        public var acknowledged: Int64
        /// The offset after the last one that was handed out.
        public var next: Int64
        /// Who has what is between, without those whose claim was put back.
        public var holders: [String]
    }

    /// The next part for a follower: what somebody else let run out, else what nobody has had yet. nil where there is
    /// nothing. Asking again with the same id gives the same.
    ///
    /// - Parameters:
    ///   - end: the log's.
    ///   - most: elements of a new claim.
    public func claim(
        _ id: String, _ name: String, _ partition: PartitionID, holder: String, below end: Int64, most: Int, duration: Duration
    ) async throws -> Claim? {
        try await connection.claim(database, Claim(id: id, name: name, partition: partition, offsets: 0..<end), holder, most, duration)
    }

    /// Keeps a claim from running out. False when it is not the caller's any more.
    public func renew(_ claim: Claim, duration: Duration) async throws -> Bool {
        try await connection.change(
            database, claim, [["$set": ["claims": Self.replaced(.string(claim.id), ["until": MongoLeases.until(duration)])]]])
    }

    /// The end of a claim. False when it is not the caller's any more.
    public func acknowledge(_ claim: Claim) async throws -> Bool {
        try await connection.change(database, claim, ["$pull": ["claims": ["id": .string(claim.id)]]])
    }

    /// Gives a claim back, so that nobody has to wait for it to run out.
    public func release(_ claim: Claim) async throws {
        _ = try await connection.change(database, claim, [["$set": ["claims": Self.replaced(.string(claim.id), ["until": .date(0)])]]])
    }

    public func progress(of stream: String, _ name: String? = nil) async throws -> [Progress] { try await connection.progress(database, stream, name) }

    /// Puts a name to a place, and makes it where it is not there. Whoever has claims of it loses them.
    public func reset(_ name: String, _ partition: PartitionID, to offset: Int64) async throws {
        try await connection.reset(database, Self.id(name, partition), offset)
    }

    /// Forgets a name. Returns whether it was there.
    public func forget(_ name: String, of stream: String) async throws -> Bool { try await connection.forget(database, name, stream) }

    fileprivate static func id(_ name: String, _ partition: PartitionID) -> Value {
        ["f": .string(name), "s": .string(partition.stream), "p": .int32(Int32(partition.number))]
    }

    /// The claims, one of them changed. Ids are hexadecimal, so that none is taken for a field.
    fileprivate static func replaced(_ id: Value, _ change: Document) -> Value {
        [
            "$map": [
                "input": "$claims", "as": "c",
                "in": ["$cond": [["$eq": ["$$c.id", id]], ["$mergeObjects": ["$$c", .document(change)]], "$$c"]],
            ]
        ]
    }

    fileprivate static func claimed(_ claim: Claim, _ holder: String, _ most: Int, _ duration: Duration) -> Value {
        let own: Document = ["id": ["$literal": .string(claim.id)], "holder": ["$literal": .string(holder)], "until": MongoLeases.until(duration)]
        let end: Value = ["$min": [["$add": ["$next", .int64(Int64(most))]], .int64(claim.offsets.upperBound)]]
        let fresh: Value = ["$mergeObjects": [["o": "$next", "e": end], .document(own)]]
        let isFresh: Value = ["$eq": [["$type": "$late"], "missing"]]
        return [
            // Kept aside for the next lines: the first claim that has run out.
            ["$set": ["late": ["$first": ["$filter": ["input": "$claims", "cond": ["$lt": ["$$this.until", "$$NOW"]]]]]]],
            [
                "$set": [
                    "claims": ["$cond": [isFresh, ["$concatArrays": ["$claims", [fresh]]], replaced(.string("$late.id"), own)]],
                    "next": ["$cond": [isFresh, end, "$next"]],
                ]
            ],
            ["$unset": "late"],
        ]
    }
}

extension MongoConnection {
    fileprivate func claim(
        _ database: String, _ wanted: MongoFollowers.Claim, _ holder: String, _ most: Int, _ duration: Duration
    ) throws -> MongoFollowers.Claim? {
        let id = MongoFollowers.id(wanted.name, wanted.partition)
        func found(_ stored: Document?) -> MongoFollowers.Claim? {
            let claims = stored?["claims"]?.asArray?.compactMap(\.asDocument) ?? []
            guard let own = claims.first(where: { $0["id"]?.asString == wanted.id }), let start = own["o"]?.asInteger, let end = own["e"]?.asInteger,
                start <= end
            else { return nil }
            var claim = wanted
            claim.offsets = start..<end
            return claim
        }
        let known = try document(database, Collections.followers, ["_id": id], "read a follower's place")
        try known.map { try StoredFormat.check($0, "a follower's place") }
        // A claim whose reply was lost.
        if let own = found(known) { return own }
        if known == nil {
            try insertUnlessThere(
                database, Collections.followers, id: id,
                ["format": .int32(StoredFormat.current), "next": .int64(try logStart(database, wanted.partition)), "claims": .array([])])
        }
        let hasRunOut: Value = ["$anyElementTrue": [["$map": ["input": "$claims", "in": ["$lt": ["$$this.until", "$$NOW"]]]]]]
        let command: Document = [
            "findAndModify": .string(Collections.followers),
            "query": ["_id": id, "$expr": ["$or": [["$lt": ["$next", .int64(wanted.offsets.upperBound)]], hasRunOut]]],
            "update": MongoFollowers.claimed(wanted, holder, most, duration), "new": true,
        ]
        return found(try run(database, BSON.encode(command), .write, "claim a part of the log")["value"]?.asDocument)
    }

    fileprivate func change(_ database: String, _ claim: MongoFollowers.Claim, _ change: Value) throws -> Bool {
        let query: Document = ["_id": MongoFollowers.id(claim.name, claim.partition), "claims.id": .string(claim.id)]
        let reply = try run(
            database, BSON.encode(["update": .string(Collections.followers), "updates": [["q": .document(query), "u": change]]]), .write, "change a claim")
        try Self.check(reply, "change a claim")
        return reply["n"]?.asInteger == 1
    }

    fileprivate func progress(_ database: String, _ stream: String, _ name: String?) throws -> [MongoFollowers.Progress] {
        var filter: Document = ["_id.s": .string(stream)]
        if let name { filter.append("_id.f", .string(name)) }
        return try documents(database, Collections.followers, filter, options: ["sort": ["_id": 1]], "read followers' places").map { stored in
            try StoredFormat.check(stored, "a follower's place")
            guard let id = stored["_id"]?.asDocument, let name = id["f"]?.asString, let number = id["p"]?.asInteger, let next = stored["next"]?.asInteger
            else { throw Refusal(.logDamaged, "a follower's place in \(Collections.followers) lacks a field: millrace events followers forget it") }
            let claims = stored["claims"]?.asArray?.compactMap(\.asDocument) ?? []
            return MongoFollowers.Progress(
                name: name, partition: PartitionID(stream: stream, number: Int(number)), acknowledged: claims.compactMap { $0["o"]?.asInteger }.min() ?? next,
                next: next, holders: claims.filter { $0["until"] != .date(0) }.compactMap { $0["holder"]?.asString })
        }
    }

    fileprivate func reset(_ database: String, _ id: Value, _ offset: Int64) throws(MongoError) {
        let command: Document = [
            "update": .string(Collections.followers),
            "updates": [
                [
                    "q": ["_id": id],
                    "u": ["$set": ["format": .int32(StoredFormat.current), "next": .int64(offset), "claims": .array([])]], "upsert": true,
                ]
            ],
        ]
        try Self.check(try run(database, BSON.encode(command), .write, "reset a follower's place"), "reset a follower's place")
    }

    fileprivate func forget(_ database: String, _ name: String, _ stream: String) throws(MongoError) -> Bool {
        let command: Document = [
            "delete": .string(Collections.followers), "deletes": [["q": ["_id.f": .string(name), "_id.s": .string(stream)], "limit": 0]],
        ]
        let reply = try run(database, BSON.encode(command), .write, "forget a follower")
        try Self.check(reply, "forget a follower")
        return reply["n"]?.asInteger ?? 0 > 0
    }
}
