import ArgumentParser
import Definitions
import Events
import Foundation
import RedisAddress
import RedisBuffer
import Values

struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Pushes events, one JSON object a line, onto the right lists.",
        discussion: "Lines without a usable key go to partition 0, where they are logged and parked like any undecodable element."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The stream.")
    var stream: String

    @Argument(help: "A file, or - for standard input.")
    var file = "-"

    /// Lines are pushed in runs of this many.
    private static let page = 1000

    func run() async throws {
        let (pushed, perList) = try await Ending.of { () async throws -> (Int, [String: Int]) in
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            guard let settings = configuration.stream(stream) else { return (0, [:]) }
            let url = try RedisURL(configuration.redis.url)
            let lists = (0..<settings.partitions).map { number in
                RedisBuffer(url: url, list: settings.list(of: number), installation: "", maxEventBytes: settings.maxEventBytes)
            }
            var perList: [String: Int] = [:]
            var pushed = 0
            var lines = try LineReader(path: file)
            while true {
                let page = try await lines.next(Self.page)
                if page.isEmpty { break }
                // Order within a key is order within a list, which grouping keeps.
                for (number, elements) in Dictionary(grouping: page, by: { settings.partitions == 1 ? 0 : settings.partition(of: $0) ?? 0 }) {
                    _ = try await lists[number].push(elements)
                    perList[lists[number].list, default: 0] += elements.count
                }
                pushed += page.count
            }
            return (pushed, perList)
        }
        if options.json {
            let lists = perList.sorted { $0.key < $1.key }.map { Document.Field($0.key, .int64(Int64($0.value))) }
            Output.line(JSON.write(["pushed": .int64(Int64(pushed)), "lists": .document(Document(lists))]))
        } else {
            Output.line("pushed \(Output.count(Int64(pushed))) events")
        }
    }
}
