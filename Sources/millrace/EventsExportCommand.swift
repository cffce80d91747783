import ArgumentParser
import Definitions
import Events
import Foundation
import MongoStore
import Projector
import Values

struct EventsExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes the log of a stream into an archive, which events import reads.",
        discussion: """
            Everything that is logged when it starts, in whole chunks, each with its checksums. At its end it says by which positions a later export \
            goes on: --after once for each partition. A file is there whole or not at all.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The stream.")
    var stream: String

    @Argument(help: "A file that is not there yet, or - for standard output.")
    var file = "-"

    @Option(parsing: .singleValue, help: "Only what follows this position, and the rest of its chunk; once for each partition.")
    var after: [String] = []

    func run() async throws {
        let (sums, positions) = try await Ending.of { () async throws -> (sums: (chunks: Int64, events: Int64, bytes: Int64), positions: [Position]) in
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            guard let settings = configuration.stream(stream) else { throw Refusal(.unknownName, "there is no stream \(stream)") }
            let reader = try await Reader(configuration)
            guard let incarnation = reader.installation?.incarnation else { throw Refusal(.badInput, "there is no log yet: start a worker") }
            let places = try EventPlaces(after, of: stream, incarnation: incarnation)
            return try await interruptible {
                let output = try ArchiveFile(path: file)
                var writer = ArchiveWriter()
                var sums: (chunks: Int64, events: Int64, bytes: Int64) = (0, 0, 0)
                var positions: [Position] = []
                func write(_ bytes: [UInt8]) throws {
                    try output.write(bytes)
                    sums.bytes += Int64(bytes.count)
                }
                try write(writer.head(.init(incarnation: incarnation, stream: stream, partitions: settings.partitions)))
                for partition in reader.partitions(of: settings) {
                    let tail = try await reader.readings.tail(of: partition).offset
                    var log = LogReader(reader.log, partition, try (places[partition]?.next(below: tail) ?? 0)..<tail)
                    while case let chunks = try await log.chunks(), !chunks.isEmpty {
                        for chunk in chunks where chunk.offset < tail {
                            try write(writer.chunk(chunk))
                            log.took(chunk)
                            (sums.chunks, sums.events) = (sums.chunks + 1, sums.events + Int64(chunk.count))
                        }
                        try Task.checkCancellation()
                    }
                    if log.next > 0 { positions.append(Position(incarnation: incarnation, partition: partition, offset: log.next - 1)) }
                }
                try write(writer.end())
                try output.finish()
                return (sums, positions)
            }
        }
        let text = "exported \(Output.count(sums.events)) elements in \(Output.count(sums.chunks)) chunks, \(Output.count(sums.bytes)) bytes"
        let goOn = positions.map { "--after \($0)" }.joined(separator: " ")
        if options.json, file != "-" {
            Output.line(
                JSON.write([
                    "elements": .int64(sums.events), "chunks": .int64(sums.chunks), "bytes": .int64(sums.bytes),
                    "positions": .array(positions.map { .string($0.description) }),
                ]))
        } else if file == "-" {
            Ending.complain("\(text); to go on: \(goOn)")
        } else {
            Output.line("\(text)\nto go on: \(goOn)")
        }
    }
}

/// Where an archive is written: standard output, or a file that gets its name when it is whole.
private struct ArchiveFile {
    private let path: String
    private let descriptor: Int32

    init(path: String) throws(Refusal) {
        self.path = path
        guard path != "-" else {
            descriptor = STDOUT_FILENO
            return
        }
        guard access(path, F_OK) != 0 else { throw Refusal(.badInput, "\(path) is there already: name a new file") }
        descriptor = open(path + ".part", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw Refusal(.badInput, "\(path).part cannot be written: \(String(cString: strerror(errno)))") }
    }

    func write(_ bytes: [UInt8]) throws {
        guard path != "-" else { return Output.lines(bytes) }
        if let code = Output.write(bytes, to: descriptor) {
            Ending.complain("\(path).part cannot be written: \(String(cString: strerror(code)))")
            throw Ending.cannotWrite
        }
    }

    func finish() throws {
        guard path != "-" else { return }
        guard fsync(descriptor) == 0, close(descriptor) == 0, rename(path + ".part", path) == 0 else {
            Ending.complain("\(path) cannot be written: \(String(cString: strerror(errno)))")
            throw Ending.cannotWrite
        }
    }
}
