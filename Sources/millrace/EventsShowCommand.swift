import ArgumentParser
import Definitions
import Events
import Foundation
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

            Followers that share a name with --as share the events: each goes to one of them, in parts of up to --batch events, in the order \
            of its partition. A part is acknowledged when the reader of the output has taken it. It goes to another follower as well only where \
            the first died, or stood still for longer than the lease, before that. A new name begins at the log's start; millrace events \
            followers says where names are, and puts them elsewhere.
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

    @Option(name: .customLong("as"), help: "Share the events with everybody who follows by this name.")
    var name: String?

    @Option(help: "With --as: at most so many events at once.")
    var batch = 1000

    private static let batches = 1...100_000

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit must not be negative") }
        if follow, until != nil { throw ValidationError("--follow waits for what is to come: it does not go with --until") }
        if name != nil, !follow { throw ValidationError("--as goes with --follow") }
        if name != nil, key != nil || since != nil || !after.isEmpty {
            throw ValidationError(
                "a name has its own place, and takes every event: --key, --since and --after do not go with --as; see millrace events followers")
        }
        if let name, name.isEmpty || name.utf8.count > 128 { throw ValidationError("a name has 1 to 128 bytes") }
        if !Self.batches.contains(batch) { throw ValidationError("--batch is from \(Self.batches.lowerBound) to \(Self.batches.upperBound)") }
        if !follow, after.count > 1 { throw ValidationError("without --follow, --after is given once") }
    }

    func run() async throws {
        try await Ending.of {
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            guard let settings = configuration.stream(stream) else { return }
            let (first, last) = (try DateTime.argument(since, "--since"), try DateTime.argument(until, "--until"))
            let reader = try await Reader(configuration)
            var printer = EventPrinter(
                incarnation: reader.installation?.incarnation ?? "", key: key, isJSON: options.json, limit: name == nil ? limit : .max)
            if let name { return try await share(name, reader, settings, printer) }
            let places = try EventPlaces(after, of: stream, incarnation: printer.incarnation)
            var logs: [LogReader] = []
            for partition in reader.partitions(of: settings) where isWanted(partition, settings, places) {
                let tail = try await reader.readings.tail(of: partition).offset
                let start = try await reader.log.start(of: partition)
                if places[partition] == nil, start > 0 {
                    Ending.complain("the log of \(partition) begins at offset \(start): what was before was pruned")
                }
                var offsets = try (places[partition]?.next(below: tail) ?? start)..<tail
                if let first { offsets = offsets.clamped(to: try await reader.readings.offset(at: first, of: partition)..<Int64.max) }
                if let last { offsets = offsets.clamped(to: 0..<(try await reader.readings.offset(at: last, of: partition))) }
                logs.append(LogReader(reader.log, partition, key: key, offsets))
            }
            guard follow else {
                for place in logs.indices {
                    _ = try await logs[place].show(&printer) { Output.lines($0) }
                }
                return
            }
            let following = EventFollowing(catalog: reader.catalog, logs: logs, printer: printer, logger: options.logger)
            try await untilStopped { stop in try await following.run(stop) }
        }
    }

    private func share(_ name: String, _ reader: Reader, _ settings: StreamSettings, _ printer: EventPrinter) async throws {
        let process = ProcessInfo.processInfo
        let following = CompetingFollowing(
            name: name, partitions: reader.partitions(of: settings), catalog: reader.catalog, log: reader.log, followers: reader.followers, batch: batch,
            lease: reader.configuration.lease, holder: "\(process.hostName)/\(process.processIdentifier)", logger: options.logger)
        try await untilStopped { stop in try await following.run(printer, limit: limit, stop) }
    }

    private func isWanted(_ partition: PartitionID, _ settings: StreamSettings, _ places: EventPlaces) -> Bool {
        if let key, Partitioning.partition(of: key.utf8, count: settings.partitions) != partition.number { return false }
        return follow || places.partitions.allSatisfy { $0 <= partition }
    }
}

extension LogReader {
    /// Gives out the lines of everything up to the end, as far as the limit goes. Returns whether there was anything.
    mutating func show(_ printer: inout EventPrinter, until stop: StopSignal? = nil, _ output: ([UInt8]) async throws -> Void) async throws -> Bool {
        var isAny = false
        while printer.left > 0, stop?.isRequested != true {
            let chunks = try await chunks()
            guard !chunks.isEmpty else { break }
            for chunk in chunks where printer.left > 0 && stop?.isRequested != true {
                let lines = printer.lines(of: chunk, next..<end)
                took(chunk, upTo: lines.end)
                try await output(lines.text)
            }
            isAny = true
        }
        return isAny
    }
}
