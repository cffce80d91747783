import Definitions
import Events
import Models
import MongoStore
import Projector
import Values

/// Events of a stream whose type no model names.
struct StreamUnknownType {
    /// nil for all types that are not counted one by one.
    var type: String?
    var count: Int64
    var first: (partition: PartitionID, offset: Int64)
    var last: (partition: PartitionID, offset: Int64)

    var document: Document {
        [
            "type": type.map(Value.string) ?? .null, "events": .int64(count), "first": .string("\(first.partition)@\(first.offset)"),
            "last": .string("\(last.partition)@\(last.offset)"),
        ]
    }

    var row: [String] { [type ?? "all others", Output.count(count), "\(first.partition)@\(first.offset)", "\(last.partition)@\(last.offset)"] }
}

extension Reader {
    /// The types of a stream that no model names, the most frequent first. Every build has counted what its own model does
    /// not name, so that any of them can tell; the one that has come furthest is asked.
    func unknownTypes(of stream: StreamSettings) async throws -> [StreamUnknownType] {
        let models = configuration.models(of: stream.name)
        var found: [ExactString?: StreamUnknownType] = [:]
        for partition in partitions(of: stream) {
            var counted: [ExactString?: UnknownType] = [:]
            for build in models.compactMap({ builds[$0.name] }) {
                for entry in try await readings.unknownTypes(of: build.id, partition) where counted[entry.type].map({ $0.count < entry.count }) ?? true {
                    counted[entry.type] = entry
                }
            }
            for (type, entry) in counted where type.map({ type in !models.contains { $0.fold.handles(type) } }) ?? true {
                var sum = found[type] ?? StreamUnknownType(type: type?.text, count: 0, first: (partition, entry.first), last: (partition, entry.last))
                sum.count += entry.count
                sum.last = (partition, entry.last)
                found[type] = sum
            }
        }
        return found.values.sorted { ($1.count, $0.type ?? "") < ($0.count, $1.type ?? "") }
    }
}
