import Events
import Projector
import Values

extension MongoLog: ErasableLog {
    public func erase(_ key: String, in partition: PartitionID) async throws -> ErasedElements {
        let filter: Document = ["keys": .string(key), "_id": partition.range()]
        return try await connection.erase(database, partition, filter) { chunk, element in chunk.key(of: element)?.utf8Equal(key) ?? false }
    }

    public func eraseOversize(_ digests: Set<String>, in partition: PartitionID) async throws -> ErasedElements {
        let filter: Document = ["_id": partition.range(), "oversize": ["$exists": true]]
        return try await connection.erase(database, partition, filter) { chunk, element in
            guard element.kind == .refused, chunk.refusals[Int(element.reference)].problem == .oversize else { return false }
            return digests.contains { chunk.refusals[Int(element.reference)].message.contains($0) }
        }
    }

    public func holds(_ key: String, _ partition: PartitionID, below offset: Int64) async throws -> Bool {
        try await connection.holds(database, key, partition, below: offset)
    }

    public func eraseLetters(of key: String, in partition: PartitionID) async throws -> Int64 {
        try await connection.eraseLetters(database, key, partition)
    }
}

extension MongoConnection {
    /// Erases elements of the chunks found, one after the other. A chunk that somebody changed meanwhile is read again.
    fileprivate func erase(_ database: String, _ partition: PartitionID, _ filter: Document, _ isWanted: (Chunk, Chunk.Element) -> Bool) throws
        -> ErasedElements
    {
        var erased = ErasedElements()
        var after: Document?
        while true {
            var filter = filter
            if let after, let range = filter["_id"]?.asDocument {
                filter["_id"] = .document(Document(range.fields.filter { $0.name != "$gte" } + [Document.Field("$gt", .document(after))]))
            }
            guard let stored = try document(database, Collections.log, filter, options: ["sort": ["_id": 1]], "read what is to be erased") else {
                return erased
            }
            guard let id = stored["_id"]?.asDocument else { throw ChunkError.damaged("a field is missing") }
            guard stored["pruned"] == nil else {
                after = id
                continue
            }
            // What was merged into another is erased there, and then from what is left of it.
            let holder = try holding(database, partition, stored)
            // Of what a prune has taken away there, that prune has left the keys here.
            var chunks = holder["pruned"] == nil ? try holder.chunk(ChunkCodec.decodeMerged) : []
            var count = ErasedElements()
            for place in chunks.indices {
                let before = chunks[place]
                count += chunks[place].erase { isWanted(before, $0) }
            }
            if count.elements > 0 {
                guard try replace(database, [holder], "erase from the log", { _ in ChunkCodec.encode(merged: chunks) }) == 1 else { continue }
                CrashPoint.chunkErased.reached()
            }
            if let into = stored["into"]?.asInteger {
                let own = chunks.first { $0.offset == id["o"]?.asInteger }
                let keys = Value.array(own?.keys.map { .string($0.text) } ?? [])
                if stored["keys"] != keys {
                    let left = try replace(database, [stored], "erase from the log") { try ChunkCodec.stub(of: $0.setting("keys", keys), into: into) }
                    guard left == 1 else { continue }
                }
            }
            erased += count
            after = id
        }
    }

    fileprivate func holds(_ database: String, _ key: String, _ partition: PartitionID, below offset: Int64) throws -> Bool {
        let filter: Document = ["keys": .string(key), "_id": partition.range(below: offset)]
        return try document(database, Collections.log, filter, options: ["projection": ["_id": 1]], "look for a key") != nil
    }

    /// Letters of elements that are no events stay without what is the key's; those of builds go, and where a build is
    /// stopped at one of the key's events it goes on.
    fileprivate func eraseLetters(_ database: String, _ key: String, _ partition: PartitionID) throws(MongoError) -> Int64 {
        let place: Document = ["_id.s": .string(partition.stream), "_id.p": .int32(Int32(partition.number)), "key": .string(key)]
        let anonymous: Document = ["key": .null, "type": .null, "message": .string(Chunk.erasedReason)]
        let commands: [Document] = [
            [
                "update": .string(Collections.deadLetters),
                "updates": [["q": .document(Document(place.fields + [Document.Field("_id.b", .null)])), "u": ["$set": .document(anonymous)], "multi": true]],
            ],
            [
                "delete": .string(Collections.deadLetters),
                "deletes": [["q": .document(Document(place.fields + [Document.Field("_id.b", ["$ne": .null])])), "limit": 0]],
            ],
            [
                "update": .string(Collections.checkpoints),
                "updates": [
                    [
                        "q": ["_id.s": .string(partition.stream), "_id.p": .int32(Int32(partition.number)), "stopped.key": .string(key)],
                        "u": ["$set": ["stopped": .null]], "multi": true,
                    ]
                ],
            ],
        ]
        var count: Int64 = 0
        for command in commands {
            let reply = try run(database, BSON.encode(command), .write, "erase dead letters")
            try Self.check(reply, "erase dead letters")
            if command["update"] != .string(Collections.checkpoints) { count += reply["n"]?.asInteger ?? 0 }
        }
        return count
    }
}

extension Document {
    fileprivate func setting(_ name: String, _ value: Value) -> Document {
        var changed = self
        changed[name] = value
        return changed
    }
}
