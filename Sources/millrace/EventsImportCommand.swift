import ArgumentParser
import Definitions
import Events
import Foundation
import MongoStore
import Projector
import Values

struct EventsImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Appends an archive of another installation's log to a stream's log, each element once.",
        discussion: """
            Importing it again, or after a kill at any point, adds what is missing and nothing else. Workers fold what is imported like anything else \
            that is logged. Refused: an archive that is damaged, of another number of partitions, of this very log, or that leaves a gap behind what \
            was imported before. What was decided about dead letters in the other installation is not part of its log.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The stream that is imported into.")
    var stream: String

    @Argument(help: "A file, or - for standard input.")
    var file = "-"

    func run() async throws {
        let (imported, known) = try await Ending.of { () async throws -> (Int64, Int64) in
            let configuration = try options.load()
            try configuration.require(streams: [stream])
            guard let settings = configuration.stream(stream) else { throw Refusal(.unknownName, "there is no stream \(stream)") }
            let input = try ArchiveInput(path: file)
            var archive = ArchiveReader()
            guard let first = try input.next(), case .head(let head) = try archive.read(first) else {
                throw Refusal(.badInput, "\(file) is empty: take a file that millrace events export has written")
            }
            let reader = try await Reader(configuration)
            let installation = try await reader.catalog.open()
            try await reader.catalog.register(settings)
            let work = try LogImport(reader.log, from: head, into: settings, incarnation: installation.incarnation)
            return try await interruptible { [input, archive] in
                var (archive, work) = (archive, work)
                while let bytes = try input.next() {
                    if case .chunk(let chunk) = try archive.read(bytes) { try await work.add(chunk) }
                    try Task.checkCancellation()
                }
                guard archive.isAtEnd else { throw Refusal(.badInput, "the archive ends early. Get it again: what was imported before is not imported twice") }
                return (work.imported, work.known)
            }
        }
        if options.json {
            Output.line(JSON.write(["imported": .int64(imported), "known": .int64(known)]))
        } else {
            Output.line("imported \(Output.count(imported)) elements; \(Output.count(known)) were there already")
        }
    }
}

/// The documents of an archive, one after the other.
private struct ArchiveInput {
    private let path: String
    private let handle: FileHandle

    init(path: String) throws(Refusal) {
        self.path = path
        if path == "-" {
            handle = .standardInput
        } else if let file = FileHandle(forReadingAtPath: path) {
            handle = file
        } else {
            throw Refusal(.badInput, "\(path) cannot be read: is it there, and a file?")
        }
    }

    /// nil at the end.
    func next() throws(Refusal) -> [UInt8]? {
        let prefix = try bytes(4)
        guard !prefix.isEmpty else { return nil }
        let length = prefix.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard prefix.count == 4, (5...LogArchive.mostBytes.bytes).contains(length) else {
            throw Refusal(.badInput, "\(path) is no archive of events, or is damaged: take a file that millrace events export has written")
        }
        return prefix + (try bytes(length - 4))
    }

    /// As many as are asked for, fewer at the end.
    private func bytes(_ count: Int) throws(Refusal) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            do {
                guard let more = try handle.read(upToCount: count - bytes.count), !more.isEmpty else { break }
                bytes += more
            } catch {
                throw Refusal(.badInput, "\(path) cannot be read: \(error.localizedDescription)")
            }
        }
        return bytes
    }
}
