import ArgumentParser
import Definitions
import Events
import Foundation
import MongoStore
import Values

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Prints the log of a stream, one event a line.",
        discussion: "Each line has the event's position, by which --after goes on. With --json every line is a JSON document."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The stream.")
    var stream: String

    @Option(help: "Only events of this key.")
    var key: String?

    @Option(help: "Only what follows this position, in its partition and those after it.")
    var after: String?

    @Option(help: "At most this many.")
    var limit: Int = .max

    /// Elements read from the log at once.
    private static let page = 20_000

    func run() async throws {
        try await Ending.of {
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            guard let settings = configuration.stream(stream) else { return }
            let reader = try await Reader(configuration)
            let incarnation = reader.installation?.incarnation ?? ""
            let start = try start(incarnation)
            var left = limit
            for partition in reader.partitions(of: settings) where partition.number >= start?.partition.number ?? 0 {
                if let key, settings.partitions > 1, Partitioning.partition(of: key.utf8, count: settings.partitions) != partition.number { continue }
                var offset = partition == start?.partition ? (start?.offset ?? -1) + 1 : 0
                while left > 0 {
                    let chunks = try await chunks(reader, partition, offset)
                    guard let last = chunks.last else { break }
                    for chunk in chunks { left -= show(chunk, from: offset, left, incarnation) }
                    offset = last.end
                }
            }
        }
    }

    private func start(_ incarnation: String) throws(Refusal) -> Position? {
        guard let after else { return nil }
        guard let position = Position(after), position.partition.stream == stream else {
            throw Refusal(.badInput, "--after \(after) is not a position of \(stream): take one that millrace events printed")
        }
        guard position.incarnation == incarnation else {
            throw Refusal(.badInput, "--after \(after) is a position in another log: this one is \(incarnation)")
        }
        return position
    }

    private func chunks(_ reader: Reader, _ partition: PartitionID, _ offset: Int64) async throws -> [Chunk] {
        if let key { return try await reader.log.chunks(of: partition, withKeys: [key], offset..<Int64.max) }
        return try await reader.log.chunks(of: partition, from: offset, events: Self.page)
    }

    /// Prints the chunk's elements from an offset on that are wanted; returns how many.
    private func show(_ chunk: Chunk, from offset: Int64, _ most: Int, _ incarnation: String) -> Int {
        let decoded = DecodedChunk(parsing: chunk)
        var shown = 0
        for (place, element) in chunk.elements.enumerated() where chunk.offset + Int64(place) >= offset && shown < most {
            if let key, !(chunk.key(of: element)?.utf8Equal(key) ?? false) { continue }
            let position = Position(incarnation: incarnation, partition: chunk.partition, offset: chunk.offset + Int64(place))
            let line = Line(chunk: chunk, element: element, event: decoded.event(at: place), position: position)
            Output.line(options.json ? JSON.write(.document(line.document)) : line.text)
            shown += 1
        }
        return shown
    }

    /// One element of the log as it is shown.
    private struct Line {
        let chunk: Chunk
        let element: Chunk.Element
        let event: Event?
        let position: Position

        private var kind: String {
            switch element.kind {
            case .event: "event"
            case .duplicate: "duplicate"
            case .refused: "refused"
            }
        }

        var document: Document {
            var document: Document = [
                "position": .string(position.description), "partition": .int64(Int64(position.partition.number)), "offset": .int64(position.offset),
                "kind": .string(kind), "loggedAt": .date(chunk.at),
            ]
            if let type = chunk.type(of: element) { document.append("eventType", .string(type)) }
            if let key = chunk.key(of: element) { document.append("key", .string(key)) }
            if let time = chunk.time(of: element) { document.append("occurredAt", .date(time)) }
            switch element.kind {
            case .event:
                if let id = event?.value(.eventId, []) { document.append("eventId", id) }
                if let event { document.append("event", event.root.value) }
            case .duplicate: document.append("original", .int64(element.reference))
            case .refused:
                let refusal = chunk.refusals[Int(element.reference)]
                document.append("problem", .string(refusal.problem.rawValue))
                document.append("message", .string(refusal.message))
                document.append("base64", .string(Base64.encode(chunk.raw[element.start..<(element.start + element.length)])))
            }
            return document
        }

        var text: String {
            let what =
                switch element.kind {
                case .event: event.map { JSON.write($0.root.value) } ?? ""
                case .duplicate: "duplicate of offset \(element.reference)"
                case .refused: "refused, \(chunk.refusals[Int(element.reference)])"
                }
            return "\(position)  \(DateTime.format(milliseconds: chunk.at))  \(what)"
        }
    }
}
