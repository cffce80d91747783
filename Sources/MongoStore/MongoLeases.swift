import Events
import Projector
import Values

/// Leases by the server's clock: `{_id: {s, p}, format, holder, epoch, until, sessions, before, crashes}`; `before` are sessions
/// of former holders that nobody is known to have killed.
public struct MongoLeases: LeaseStore {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    public func acquire(_ partition: PartitionID, holder: LeaseHolder, duration: Duration) async throws -> LeaseReply {
        try await connection.acquire(database, partition, holder, duration)
    }

    public func renew(_ lease: Lease, duration: Duration) async throws -> Bool {
        try await connection.change(database, lease, ["until": Self.until(duration)])
    }

    public func lift(_ lease: Lease, above fence: Int64) async throws -> Lease? {
        var lifted = lease
        lifted.epoch = max(lease.epoch, fence) + 1
        return try await connection.change(database, lease, ["epoch": .int64(lifted.epoch)]) ? lifted : nil
    }

    public func store(_ crashes: CrashHistory, in lease: Lease) async throws -> Bool {
        try await connection.change(database, lease, ["crashes": ["$literal": CrashHistoryDocument.encode(crashes)]])
    }

    public func endDeadRepairs(of partition: PartitionID) async throws { try await connection.endDead(database, partition.repairs) }

    public func release(_ lease: Lease) async throws {
        _ = try await connection.change(database, lease, ["until": .date(0), "sessions": .array([])])
    }

    /// When a lease that begins now runs out.
    static func until(_ duration: Duration) -> Value {
        ["$add": ["$$NOW", .int64(duration.milliseconds)]]
    }
}

extension MongoConnection {
    fileprivate func acquire(_ database: String, _ partition: PartitionID, _ holder: LeaseHolder, _ duration: Duration) throws -> LeaseReply {
        let sessions = Value.array(holder.sessions.map { .binary($0, subtype: 4) })
        let command: Document = [
            "findAndModify": .string(Collections.leases),
            "query": [
                "_id": partition.value,
                // What a newer Millrace wrote is left as it is.
                "format": ["$not": ["$gt": .int32(StoredFormat.current)]],
                "$expr": ["$or": [["$lt": ["$until", "$$NOW"]], ["$eq": ["$holder", ["$literal": .string(holder.id)]]]]],
            ],
            "update": [
                [
                    "$set": [
                        "format": .int32(StoredFormat.current), "holder": ["$literal": .string(holder.id)],
                        "epoch": ["$add": [["$ifNull": ["$epoch", .int64(0)]], .int64(1)]],
                        "until": MongoLeases.until(duration), "sessions": ["$literal": sessions],
                        // Kept until they are known to be killed: whoever is to do it may fail.
                        "before": ["$setUnion": [["$ifNull": ["$before", []]], ["$ifNull": ["$sessions", []]]]],
                        // Whether the lease was not given back.
                        "died": ["$and": [["$gt": ["$until", .date(0)]], ["$ne": ["$holder", ["$literal": .string(holder.id)]]]]],
                    ]
                ]
            ],
            "new": true,
        ]
        var reply = try run(database, BSON.encode(command), .write, "acquire a lease")
        if reply["value"]?.asDocument == nil {
            // Held, or never held by anybody: an upsert cannot compare with the server's clock.
            if let held = try document(database, Collections.leases, ["_id": partition.value], "read a lease") {
                try StoredFormat.check(held, "a lease")
                return .held(by: held["holder"]?.asString ?? "somebody")
            }
            try insertUnlessThere(database, Collections.leases, id: partition.value, ["format": .int32(StoredFormat.current), "until": .date(0)])
            reply = try run(database, BSON.encode(command), .write, "acquire a lease")
        }
        guard let stored = reply["value"]?.asDocument, let epoch = stored["epoch"]?.asInteger else { return .held(by: "somebody") }
        let lease = Lease(
            partition: partition, holder: holder, epoch: epoch, crashes: CrashHistoryDocument.decode(stored["crashes"]?.asDocument),
            isAfterDeath: stored["died"] == true
        )
        // Rule 16: first of all, end what former holders had under way.
        let own = holder.sessions.map { Value.binary($0, subtype: 4) }
        let before = (stored["before"]?.asArray ?? []).filter { !own.contains($0) }
        if !before.isEmpty {
            try kill(before, "kill the former holder's sessions")
            _ = try change(database, lease, ["before": .array([])])
        }
        return .acquired(lease)
    }

    private func kill(_ sessions: [Value], _ operation: String) throws {
        try run("admin", BSON.encode(["killSessions": .array(sessions.map { ["id": $0] })]), .plain, operation)
    }

    /// Kills the sessions of a lease that ran out, and was not given back.
    fileprivate func endDead(_ database: String, _ partition: PartitionID) throws {
        let isDead: Document = ["_id": partition.value, "$expr": ["$and": [["$gt": ["$until", .date(0)]], ["$lt": ["$until", "$$NOW"]]]]]
        guard let dead = try document(database, Collections.leases, isDead, "look for a dead repair"), let until = dead["until"] else { return }
        let sessions = (dead["before"]?.asArray ?? []) + (dead["sessions"]?.asArray ?? [])
        if !sessions.isEmpty { try kill(sessions, "kill a dead repair's sessions") }
        // Forgotten only when they are known to be killed.
        let update: Document = [
            "update": .string(Collections.leases),
            "updates": [["q": ["_id": partition.value, "until": until], "u": ["$set": ["until": .date(0), "sessions": [], "before": []]]]],
        ]
        try Self.check(run(database, BSON.encode(update), .write, "forget a dead repair"), "forget a dead repair")
    }

    /// Changes a lease that is still the caller's. False when it is not.
    fileprivate func change(_ database: String, _ lease: Lease, _ change: Document) throws -> Bool {
        let command: Document = [
            "update": .string(Collections.leases),
            "updates": [
                [
                    "q": ["_id": lease.partition.value, "holder": .string(lease.holder.id), "epoch": .int64(lease.epoch)],
                    "u": [["$set": .document(change)]],
                ]
            ],
        ]
        let reply = try run(database, BSON.encode(command), .write, "change a lease")
        try Self.check(reply, "change a lease")
        return reply["n"]?.asInteger == 1
    }
}
