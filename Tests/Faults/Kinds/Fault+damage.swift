import Foundation
import Testing
import Values

extension Fault {
    /// What only a disk or a hand does to what is stored: the partition stops, says where, and goes on when it is
    /// restored.
    static let damage = [
        Fault(.mongodb, "log-tail-damaged", combinable: false) { scene in
            let block = ["raw", "columns", "digests", "sum"][scene.round % 4]
            scene.note(block)
            try await scene.damageLog(ahead: true) { mongo, chunk in
                guard var bytes = chunk[block]?.asBinary.map(Array.init), !bytes.isEmpty else { throw Failure("a chunk without \(block)") }
                bytes[scene.below(bytes.count)] ^= 1 << UInt8(scene.below(8))
                try await mongo.update(
                    "millrace.log", ["_id": chunk["_id"] ?? .null], ["$set": .document(Document([Document.Field(block, .binary(bytes))]))])
            }
        },
        Fault(.mongodb, "log-tail-removed", combinable: false) { scene in
            // All that is beyond a checkpoint was taken away, and the chunk that the checkpoint stands at.
            try await scene.damageLog(ahead: false) { mongo, chunk in
                try await mongo.command(["delete": "millrace.log", "deletes": [["q": ["_id": chunk["_id"] ?? .null], "limit": 1]]])
            }
        },
        Fault(.mongodb, "log-hole", combinable: false) { scene in
            try await scene.damageLog(ahead: true, fromEnd: 1) { mongo, chunk in
                try await mongo.command(["delete": "millrace.log", "deletes": [["q": ["_id": chunk["_id"] ?? .null], "limit": 1]]])
            }
        },
    ]
}

extension Scene {
    /// - Parameters:
    ///   - ahead: damages a chunk that no checkpoint has reached, and not one that they all have.
    ///   - fromEnd: which one, counted from the last.
    fileprivate func damageLog(ahead: Bool, fromEnd: Int = 0, _ body: (MongoProbe, Document) async throws -> Void) async throws {
        try await stopAll()
        if ahead {
            try await producer.pause()
            try await producer.insert(producer.nextEvents(1000))
            try start(0, .debug, environment: ["MILLRACE_CRASH_AT": "chunk-appended:4"])
            _ = try await worker(0).ended()
        }
        let chunks = try await place.mongo.find("millrace.log", sort: ["_id": -1], limit: Int32(fromEnd + 1))
        guard chunks.count > fromEnd, let offset = chunks[fromEnd]["_id"]?.asDocument?["o"]?.asInteger else { throw Failure("the log is too short") }
        try await body(place.mongo, chunks[fromEnd])
        for slot in 0..<Stage.workers { try start(slot) }
        try await expectLog("the log is damaged", "log-damaged", "trace/0", "\(offset)", "the partition stands still until somebody acts")
        // As from a backup.
        try await place.mongo.command(["delete": "millrace.log", "deletes": [["q": ["_id": chunks[fromEnd]["_id"] ?? .null], "limit": 1]]])
        try await place.mongo.command([
            "insert": "millrace.log", "documents": [.document(chunks[fromEnd])], "writeConcern": ["w": "majority"],
        ])
        await producer.resume()
    }
}
