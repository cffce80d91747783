import Events
import Models
import Projector
import Values

/// The commands of one transaction, each built as one run of bytes: several times cheaper here than the driver's bulk
/// interface, which copies and validates every document.
struct WriteCommands {
    struct Command {
        var operation: String
        var bytes: [UInt8]
        /// Documents it must match, insert or remove.
        var planned: Int
        /// The step of the protocol that is done when it is.
        var step: CrashPoint?
    }

    /// A command is one BSON document, which MongoDB takes up to 16 MiB.
    private static let maximumBytes = 14 << 20

    /// Whose documents are written.
    let build: BuildID
    private(set) var commands: [Command] = []

    /// Checkpoint first (rule 14), then the dead letters and the unknown types, then at most one write for each document.
    init(_ commit: Commit) {
        build = commit.from.build
        var checkpoint = Builder(verb: "update", collection: Collections.checkpoints, list: "updates", operation: "move the checkpoint", step: .checkpointMoved)
        checkpoint.add { bytes in
            BSON.append("q", .document(CheckpointDocument.filter(commit.from)), to: &bytes)
            BSON.append("u", .document(CheckpointDocument.change(from: commit.from, to: commit.to)), to: &bytes)
        }
        var letters = Builder(verb: "update", collection: Collections.deadLetters, list: "updates", operation: "write dead letters", step: .deadLettersWritten)
        for letter in commit.deadLetters {
            letters.add { bytes in
                // Several builds park the same undecodable element, which makes one dead letter.
                BSON.append("q", ["_id": DeadLetterDocument.id(letter.id)], to: &bytes)
                BSON.append("u", ["$setOnInsert": .document(DeadLetterDocument.fields(letter))], to: &bytes)
                BSON.append("upsert", true, to: &bytes)
            }
        }
        var types = Builder(verb: "update", collection: Collections.unknownTypes, list: "updates", operation: "count unknown types")
        for type in commit.unknownTypes {
            types.add { bytes in
                BSON.append("q", ["_id": UnknownTypeDocument.id(commit.from.build, commit.from.partition, type.type)], to: &bytes)
                BSON.append("u", .document(UnknownTypeDocument.adding(type)), to: &bytes)
                BSON.append("upsert", true, to: &bytes)
            }
        }
        commands = checkpoint.finish() + letters.finish() + types.finish() + Self.commands(for: commit.writes, of: commit.from.build)
    }

    /// Of a repair, whose transaction has begun: what the checkpoints count, then the dead letters and the documents.
    init(_ repair: Repair) {
        build = repair.build
        var checkpoints = Builder(verb: "update", collection: Collections.checkpoints, list: "updates", operation: "count again", step: .checkpointMoved)
        for (build, totals) in repair.totals.sorted(by: { $0.key.description < $1.key.description }) where totals != ProjectionTotals() {
            checkpoints.add { bytes in
                BSON.append("q", ["_id": CheckpointDocument.id(build, repair.partition)], to: &bytes)
                BSON.append("u", .document(CheckpointDocument.adding(totals)), to: &bytes)
            }
        }
        var removed = Builder(verb: "delete", collection: Collections.deadLetters, list: "deletes", operation: "remove dead letters", step: .deadLettersWritten)
        for id in repair.removed {
            removed.add { bytes in
                BSON.append("q", ["_id": DeadLetterDocument.id(id)], to: &bytes)
                BSON.append("limit", 1, to: &bytes)
            }
        }
        var letters = Builder(verb: "update", collection: Collections.deadLetters, list: "updates", operation: "write dead letters", step: .deadLettersWritten)
        for letter in repair.letters {
            letters.add { bytes in
                BSON.append("q", ["_id": DeadLetterDocument.id(letter.id)], to: &bytes)
                BSON.append("u", .document(DeadLetterDocument.fields(letter)), to: &bytes)
                BSON.append("upsert", true, to: &bytes)
            }
        }
        var foreign = Builder(verb: "delete", collection: repair.build.description, list: "deletes", operation: "remove documents", step: .documentsWritten)
        for id in repair.foreign {
            foreign.add { bytes in
                BSON.append("q", ["_id": ["$eq": id]], to: &bytes)
                BSON.append("limit", 1, to: &bytes)
            }
        }
        commands = checkpoints.finish() + removed.finish() + letters.finish() + foreign.finish() + Self.commands(for: repair.writes, of: repair.build)
        for (build, writes) in repair.keptWrites.sorted(by: { $0.key.number < $1.key.number }) { commands += Self.commands(for: writes, of: build) }
    }

    private static func commands(for writes: [DocumentWrite], of build: BuildID) -> [Command] {
        let collection = build.description
        var deletes = Builder(verb: "delete", collection: collection, list: "deletes", operation: "remove documents", step: .documentsWritten)
        var updates = Builder(verb: "update", collection: collection, list: "updates", operation: "update documents", step: .documentsWritten)
        // Growing means copying: most of a batch's bytes are documents that are inserted.
        let room = writes.reduce(0) { if case .insert(_, let bson) = $1 { $0 + bson.count + 8 } else { $0 } }
        var inserts = Builder(
            verb: "insert", collection: collection, list: "documents", operation: "insert documents", step: .documentsWritten, room: room)
        for write in writes {
            switch write {
            case .insert(_, let bson): inserts.add(encoded: bson)
            case .delete(let key):
                deletes.add { bytes in
                    Self.appendFilter(key, to: &bytes)
                    BSON.append("limit", 1, to: &bytes)
                }
            case .update(let key, let set, let unset):
                updates.add { bytes in
                    Self.appendFilter(key, to: &bytes)
                    BSON.appendHeader(BSONType.document, "u", to: &bytes)
                    let start = BSON.openDocument(&bytes)
                    BSON.append("$set", .document(set), to: &bytes)
                    if !unset.isEmpty { BSON.append("$unset", .document(Document(unset.map { Document.Field($0, "") })), to: &bytes) }
                    BSON.closeDocument(start, &bytes)
                }
            case .replace(let key, let bson):
                updates.add { bytes in
                    Self.appendFilter(key, to: &bytes)
                    BSON.append("u", encoded: bson, to: &bytes)
                }
            case .put(let key, let bson):
                updates.add { bytes in
                    Self.appendFilter(key, to: &bytes)
                    BSON.append("u", encoded: bson, to: &bytes)
                    BSON.append("upsert", true, to: &bytes)
                }
            }
        }
        return deletes.finish() + updates.finish() + inserts.finish()
    }

    private static func appendFilter(_ key: String, to bytes: inout [UInt8]) {
        BSON.appendHeader(BSONType.document, "q", to: &bytes)
        let start = BSON.openDocument(&bytes)
        BSON.append("_id", .string(key), to: &bytes)
        BSON.closeDocument(start, &bytes)
    }

    /// Fills commands of one kind, and begins another when one is full.
    private struct Builder {
        let verb: String
        let collection: String
        let list: String
        let operation: String
        let step: CrashPoint?
        /// For what is expected, in bytes.
        let room: Int
        private var finished: [Command] = []
        private var bytes: [UInt8] = []
        private var starts = (command: 0, list: 0)
        private var count = 0

        init(verb: String, collection: String, list: String, operation: String, step: CrashPoint? = nil, room: Int = 1 << 16) {
            self.verb = verb
            self.collection = collection
            self.list = list
            self.operation = operation
            self.step = step
            self.room = room
        }

        mutating func add(_ body: (inout [UInt8]) -> Void) {
            begin()
            BSON.appendHeader(BSONType.document, count, to: &bytes)
            let start = BSON.openDocument(&bytes)
            body(&bytes)
            BSON.closeDocument(start, &bytes)
            end()
        }

        mutating func add(encoded document: [UInt8]) {
            begin()
            BSON.appendHeader(BSONType.document, count, to: &bytes)
            bytes.append(contentsOf: document)
            end()
        }

        mutating func finish() -> [Command] {
            close()
            return finished
        }

        private mutating func begin() {
            guard count == 0 else { return }
            bytes = []
            bytes.reserveCapacity(min(room, WriteCommands.maximumBytes) + 200)
            starts.command = BSON.openDocument(&bytes)
            BSON.append(verb, .string(collection), to: &bytes)
            BSON.append("ordered", true, to: &bytes)
            BSON.appendHeader(BSONType.array, list, to: &bytes)
            starts.list = BSON.openDocument(&bytes)
        }

        private mutating func end() {
            count += 1
            // The largest document that may follow is bounded far below what is left.
            if bytes.count > WriteCommands.maximumBytes - Model.maximumDocumentSize.bytes { close() }
        }

        private mutating func close() {
            guard count > 0 else { return }
            BSON.closeDocument(starts.list, &bytes)
            BSON.closeDocument(starts.command, &bytes)
            finished.append(Command(operation: "\(operation) of \(collection)", bytes: bytes, planned: count, step: step))
            count = 0
        }
    }
}
