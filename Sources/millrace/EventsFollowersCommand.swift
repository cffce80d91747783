import ArgumentParser
import Definitions
import Events
import MongoStore
import Projector
import Values

struct EventsFollowersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "followers", abstract: "Followers that share a name (events STREAM --follow --as NAME): where they are, and to put them elsewhere.",
        subcommands: [FollowersListCommand.self, FollowersResetCommand.self, FollowersForgetCommand.self]
    )
}

struct FollowersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "How far each name is in each partition.")

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The stream.")
    var stream: String

    func run() async throws {
        try await Ending.of {
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            let reader = try await Reader(configuration)
            var rows: [(progress: MongoFollowers.Progress, behind: Int64)] = []
            for progress in try await reader.followers.progress(of: stream) {
                rows.append((progress, try await reader.readings.tail(of: progress.partition).offset - progress.acknowledged))
            }
            if options.json {
                Output.line(JSON.write(.document(["followers": .array(rows.map { .document($0.progress.document(behind: $0.behind)) })])))
            } else if rows.isEmpty {
                Output.line("nobody follows \(stream) by a name")
            } else {
                Output.table(["name", "partition", "acknowledged", "handed out", "behind", "followers"], rows.map { $0.progress.row(behind: $0.behind) })
            }
        }
    }
}

struct FollowersResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Puts a name to another place in the log; a new name begins there.",
        discussion: "A part that somebody is printing is taken from them. Say one of --start, --end, --since and --after; --after once for each partition."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The stream.")
    var stream: String

    @Argument(help: "The name.")
    var name: String

    @Flag(help: "To the log's first event.")
    var start = false

    @Flag(help: "Behind everything that is logged.")
    var end = false

    @Option(help: "To what was logged at this time or later, such as 2026-11-20T10:00:00Z.")
    var since: String?

    @Option(parsing: .singleValue, help: "Behind this position, in its partition; the others stay.")
    var after: [String] = []

    func validate() throws {
        guard [start, end, since != nil, !after.isEmpty].count(where: \.self) == 1 else {
            throw ValidationError("say one of --start, --end, --since and --after")
        }
    }

    func run() async throws {
        try await Ending.of {
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            guard let settings = configuration.stream(stream) else { return }
            let time = try DateTime.argument(since, "--since")
            let reader = try await Reader(configuration)
            let places = try EventPlaces(after, of: stream, incarnation: reader.installation?.incarnation ?? "")
            for partition in reader.partitions(of: settings) {
                let tail = try await reader.readings.tail(of: partition).offset
                var offset: Int64 = 0
                if end { offset = tail }
                if let time { offset = try await reader.readings.offset(at: time, of: partition) }
                if !after.isEmpty {
                    guard let place = places[partition] else { continue }
                    offset = try place.next(below: tail)
                }
                try await reader.followers.reset(name, partition, to: offset)
                if !options.json { Output.line("\(name) goes on at \(partition)@\(offset)") }
            }
            if options.json {
                let places = try await reader.followers.progress(of: stream, name)
                Output.line(JSON.write(.document(["followers": .array(places.map { .document($0.document(behind: nil)) })])))
            }
        }
    }
}

struct FollowersForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Forgets a name: who follows by it next begins at the log's start. Exits 1 where there is no such name.")

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The stream.")
    var stream: String

    @Argument(help: "The name.")
    var name: String

    func run() async throws {
        let isKnown = try await Ending.of { () async throws -> Bool in
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            return try await Reader(configuration).followers.forget(name, of: stream)
        }
        if options.json { Output.line(JSON.write(.document(["forgotten": .bool(isKnown)]))) }
        guard isKnown else {
            Ending.complain("nobody has followed \(stream) as \(name)")
            throw Ending.notGood
        }
    }
}

extension MongoFollowers.Progress {
    fileprivate func document(behind: Int64?) -> Document {
        var document: Document = [
            "name": .string(name), "partition": .int64(Int64(partition.number)), "acknowledged": .int64(acknowledged), "handedOut": .int64(next),
        ]
        if let behind { document.append("behind", .int64(behind)) }
        document.append("holders", .array(holders.map(Value.string)))
        return document
    }

    fileprivate func row(behind: Int64) -> [String] {
        [name, "\(partition)", Output.count(acknowledged), Output.count(next), Output.count(behind), holders.sorted().joined(separator: ", ")]
    }
}
