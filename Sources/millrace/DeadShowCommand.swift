import ArgumentParser
import Definitions
import Events
import MongoStore
import Projector
import Values

struct DeadShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints one dead letter with its event.", discussion: "Exits 1 when there is none. --json prints it on one line."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The letter's id.")
    var id: String

    func run() async throws {
        let shown = try await Ending.of { () async throws -> Document? in
            let id = try DeadLetterID(argument: id)
            let reader = try await Reader(options.load())
            guard let letter = try await reader.letters.letter(id) else { return nil }
            return letter.document + (try await event(letter, reader))
        }
        guard let shown else {
            Ending.complain("no-such-letter: there is no dead letter \(id)")
            throw Ending.notGood
        }
        Output.line(options.json ? JSON.write(.document(shown)) : JSON.pretty(.document(shown)))
    }

    /// What the log has of it: the event, or the bytes of what is none.
    private func event(_ letter: DeadLetter, _ reader: Reader) async throws -> Document {
        guard let chunk = try await reader.log.chunks(of: letter.partition, from: letter.offset, events: 1).first, chunk.offset <= letter.offset else {
            return [:]
        }
        let place = Int(letter.offset - chunk.offset)
        let decoded = DecodedChunk(parsing: chunk, letter.offset..<letter.offset + 1)
        // An event points into its chunk.
        return withExtendedLifetime(decoded) {
            decoded.event(at: place).map { ["event": $0.root.value] } ?? ["base64": .string(Base64.encode(chunk.bytes(at: place)))]
        }
    }
}

extension Document {
    fileprivate static func + (left: Document, right: Document) -> Document { Document(left.fields + right.fields) }
}
