import Events
import Projector
import Values

extension MongoLog: ImportLog {
    public func stretches(of partition: PartitionID, segment identity: String) async throws -> [ImportedStretch] {
        try await connection.stretches(database, identity)
    }
}

extension MongoConnection {
    fileprivate func stretches(_ database: String, _ identity: String) throws -> [ImportedStretch] {
        var stretches: [ImportedStretch] = []
        try find(
            database, Collections.log, ["segment": .string(identity)], options: ["sort": ["index": 1], "projection": ["_id": 1, "index": 1, "n": 1]],
            "read what is imported"
        ) { bytes in
            let chunk = try Document(bson: bytes)
            guard let target = chunk["_id"]?.asDocument?["o"]?.asInteger, let source = chunk["index"]?.asInteger, let count = chunk["n"]?.asInteger else {
                throw ChunkError.damaged("a field is missing")
            }
            ImportedStretch.add(.init(source: source, target: target, count: count), to: &stretches)
            return true
        }
        return stretches
    }
}
