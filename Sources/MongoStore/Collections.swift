import Events
import Projector
import Values

/// Names of Millrace's own collections. Documents of models live in collections named after their build.
enum Collections {
    static let meta = "millrace.meta"
    static let log = "millrace.log"
    static let checkpoints = "millrace.checkpoints"
    static let leases = "millrace.leases"
    static let definitions = "millrace.definitions"
    static let deadLetters = "millrace.dead_letters"
    static let unknownTypes = "millrace.unknown_types"
    static let runs = "millrace.runs"
    static let jobs = "millrace.jobs"
    static let runners = "millrace.runners"
    static let snapshots = "millrace.snapshots"
    static let drift = "millrace.drift"
    static let followers = "millrace.followers"
    static let tokens = "millrace.tokens"
}

/// The version of every stored kind but the chunk, which has its own. A newer one is refused.
enum StoredFormat {
    static let current: Int32 = 1
    /// Of what knows of loaded builds: an earlier Millrace would take it for what is folded from the beginning of the log.
    static let loaded: Int32 = 2

    /// Throws for a document that a newer Millrace wrote.
    ///
    /// - Parameter newest: that this kind has here.
    static func check(_ document: Document, _ what: String, upTo newest: Int32 = current) throws(Refusal) {
        let format = document["format"]?.asInteger ?? 1
        guard format <= Int64(newest) else {
            throw Refusal(.newerFormat, "\(what) has format \(format), and this binary reads up to \(newest): use the newer Millrace that wrote it")
        }
    }
}

extension PartitionID {
    var value: Value { ["s": .string(stream), "p": .int32(Int32(number))] }

    /// Ids of this partition's chunks: `{s, p, o}` sorts after `{s, p}` and before `{s, p + 1}`.
    func range(from offset: Int64? = nil, below end: Int64? = nil) -> Value {
        [
            "$gte": offset.map { .document(ChunkCodec.id(self, $0)) } ?? value,
            "$lt": end.map { .document(ChunkCodec.id(self, $0)) } ?? PartitionID(stream: stream, number: number + 1).value,
        ]
    }
}
