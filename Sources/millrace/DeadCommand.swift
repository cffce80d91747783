import ArgumentParser
import Definitions
import Events
import MongoStore
import Projector
import Values

struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "Dead letters: events that were parked, with the reason.",
        discussion: """
            A letter's id is BUILD/STREAM/PARTITION@OFFSET, without the build for an element that is no event. Filters narrow what is meant; \
            list, without one, groups the letters by problem.
            """,
        subcommands: [DeadListCommand.self, DeadShowCommand.self, DeadExportCommand.self, DeadRetryCommand.self, DeadDropCommand.self, DeadRestoreCommand.self]
    )
}

/// Which dead letters a command is about.
struct LetterOptions: ParsableArguments {
    @Option(help: "Only letters of this model.")
    var model: String?

    @Option(help: "Only letters of this stream.")
    var stream: String?

    @Option(help: "Only letters with this problem, such as missing-value.")
    var problem: String?

    @Option(help: "Only events of this type.")
    var type: String?

    @Option(help: "Only events of this key.")
    var key: String?

    @Option(help: "Only what was logged at this time or later, such as 2026-11-20T10:00:00Z.")
    var since: String?

    @Option(help: "Only what was logged before this time.")
    var until: String?

    @Flag(help: "Only letters that were dropped, which are left out otherwise.")
    var dropped = false

    @Flag(help: "All letters.")
    var all = false

    /// Whether anything was said about which letters are meant.
    var isGiven: Bool { all || dropped || [model, stream, problem, type, key, since, until].contains { $0 != nil } }

    /// - Parameter isUpToNow: what is logged meanwhile is not meant.
    func filter(_ reader: Reader, isUpToNow: Bool = false) async throws -> LetterFilter {
        var builds: [BuildID]?
        if let model {
            let known = reader.pointers[model]?.builds.map(\.build.id) ?? []
            if known.isEmpty { try reader.configuration.require(model: model) }
            builds = known
        }
        try reader.configuration.require(streams: stream.map { [$0] } ?? [])
        var places: [LetterFilter.Place] = []
        for settings in reader.configuration.streams where stream ?? settings.name == settings.name {
            for partition in reader.partitions(of: settings) { places.append(.init(partition, try await offsets(of: partition, reader, isUpToNow))) }
        }
        var filter = LetterFilter(places: places)
        filter.builds = builds
        // What was decided about an event is kept with the build of that time; other letters are those of builds that are read.
        if !dropped { filter.without = reader.unreadBuilds }
        filter.problem = problem
        filter.type = type
        filter.key = key
        filter.isDropped = dropped
        return filter
    }

    private func offsets(of partition: PartitionID, _ reader: Reader, _ isUpToNow: Bool) async throws -> Range<Int64> {
        let end = isUpToNow ? try await reader.readings.tail(of: partition).offset : .max
        let first = try await DateTime.argument(since, "--since").asyncMap { try await reader.readings.offset(at: $0, of: partition) } ?? 0
        let last = try await DateTime.argument(until, "--until").asyncMap { try await reader.readings.offset(at: $0, of: partition) } ?? end
        return first..<max(first, min(last, end))
    }
}

extension Optional {
    fileprivate func asyncMap<Result>(_ body: (Wrapped) async throws -> Result) async throws -> Result? {
        if let self { try await body(self) } else { nil }
    }
}

extension DeadLetterID {
    /// Reads an id that somebody wrote.
    init(argument text: String) throws(Refusal) {
        guard let id = DeadLetterID(text) else {
            throw Refusal(.badInput, "\(text) is not the id of a dead letter: take one that millrace dead list printed, such as product@1/product/0@17")
        }
        self = id
    }
}
