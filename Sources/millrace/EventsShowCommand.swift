import ArgumentParser
import Definitions
import Events
import MongoStore
import Projector
import Values

struct EventsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints the log of a stream, one event a line.",
        discussion: """
            Each line has the event's position, by which --after goes on. With --json every line is a JSON document.

            Without --follow, the log goes partition by partition, and --after is where to go on, in its partition and those after it. With \
            --follow, the partitions go side by side, and new events are waited for until SIGINT or SIGTERM, or until nobody reads the output; \
            --after can be given once for each partition, and a partition without it begins at its start. A server that cannot be reached is \
            waited for.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The stream.")
    var stream: String

    @Option(help: "Only events of this key.")
    var key: String?

    @Option(parsing: .singleValue, help: "Only what follows this position.")
    var after: [String] = []

    @Option(help: "At most this many.")
    var limit: Int = .max

    @Option(help: "Only what was logged at this time or later, such as 2026-11-20T10:00:00Z.")
    var since: String?

    @Option(help: "Only what was logged before this time.")
    var until: String?

    @Flag(help: "Wait for new events.")
    var follow = false

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit must not be negative") }
        if follow, until != nil { throw ValidationError("--follow waits for what is to come: it does not go with --until") }
        if !follow, after.count > 1 { throw ValidationError("without --follow, --after is given once") }
    }

    func run() async throws {
        try await Ending.of {
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            guard let settings = configuration.stream(stream) else { return }
            let (first, last) = (try DateTime.argument(since, "--since"), try DateTime.argument(until, "--until"))
            let reader = try await Reader(configuration)
            let incarnation = reader.installation?.incarnation ?? ""
            let starts = try starts(incarnation)
            var logs: [LogReader] = []
            for partition in reader.partitions(of: settings) where isWanted(partition, settings, starts) {
                var offsets = starts[partition] ?? 0..<Int64.max
                let tail = try await reader.readings.tail(of: partition).offset
                if offsets.lowerBound > tail {
                    throw Refusal(
                        .badInput, "--after \(partition)@\(offsets.lowerBound - 1) is beyond the log's end \(tail): was it set back to an older state?")
                }
                offsets = offsets.clamped(to: 0..<tail)
                if let first { offsets = offsets.clamped(to: try await reader.readings.offset(at: first, of: partition)..<Int64.max) }
                if let last { offsets = offsets.clamped(to: 0..<(try await reader.readings.offset(at: last, of: partition))) }
                logs.append(LogReader(reader.log, partition, key: key, offsets))
            }
            var printer = EventPrinter(incarnation: incarnation, key: key, isJSON: options.json, limit: limit)
            guard follow else {
                for place in logs.indices { _ = try await logs[place].show(printer: &printer) }
                return
            }
            let following = EventFollowing(catalog: reader.catalog, logs: logs, printer: printer, logger: options.logger)
            try await untilStopped { stop in try await following.run(stop) }
        }
    }

    /// Where partitions begin that do not begin at their start.
    private func starts(_ incarnation: String) throws(Refusal) -> [PartitionID: Range<Int64>] {
        var starts: [PartitionID: Range<Int64>] = [:]
        for after in after {
            guard let position = Position(after), position.partition.stream == stream else {
                throw Refusal(.badInput, "--after \(after) is not a position of \(stream): take one that millrace events printed")
            }
            guard position.incarnation == incarnation else {
                throw Refusal(.badInput, "--after \(after) is a position in another log: this one is \(incarnation)")
            }
            guard starts[position.partition] == nil else { throw Refusal(.badInput, "--after is given twice for \(position.partition)") }
            starts[position.partition] = position.offset + 1..<Int64.max
        }
        return starts
    }

    private func isWanted(_ partition: PartitionID, _ settings: StreamSettings, _ starts: [PartitionID: Range<Int64>]) -> Bool {
        if let key, Partitioning.partition(of: key.utf8, count: settings.partitions) != partition.number { return false }
        return follow || starts.keys.allSatisfy { $0 <= partition }
    }
}

extension LogReader {
    /// Prints everything up to the end, as far as the limit goes. Returns whether there was anything.
    mutating func show(printer: inout EventPrinter, until stop: StopSignal? = nil) async throws -> Bool {
        var isAny = false
        while printer.left > 0, stop?.isRequested != true {
            let chunks = try await chunks()
            guard !chunks.isEmpty else { break }
            for chunk in chunks where printer.left > 0 && stop?.isRequested != true { took(chunk, upTo: printer.show(chunk, next..<end)) }
            isAny = true
        }
        return isAny
    }
}
