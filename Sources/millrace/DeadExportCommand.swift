import ArgumentParser
import Definitions
import Events
import MongoStore
import Projector
import Values

struct DeadExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Prints the events of dead letters as they were pushed, one a line.",
        discussion: "An event that several models have parked is printed once. Corrected, and with eventIds of their own, they can be pushed again."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var letters: LetterOptions

    @Argument(help: "Letters; all that the filters find when none is named.")
    var ids: [String] = []

    /// Letters read at once.
    private static let page = 1000

    func validate() throws {
        if !ids.isEmpty, letters.isGiven { throw ValidationError("name the letters, or filter them: not both") }
    }

    func run() async throws {
        let (missing, oversize) = try await Ending.of { () async throws -> (Int, Int) in
            let ids = try ids.map(DeadLetterID.init(argument:))
            let reader = try await Reader(options.load())
            var export = LetterExport(reader: reader)
            if !ids.isEmpty {
                let found = try await reader.store.letters(ids).sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
                try await export.add(found)
                return (Set(ids).count - found.count, export.oversize)
            }
            let filter = try await letters.filter(reader)
            for place in filter.places {
                var after: DeadLetterID?
                while true {
                    let page = try await reader.letters.page(filter, in: place, after: after, limit: Self.page)
                    guard let last = page.last else { break }
                    try await export.add(page)
                    after = last.id
                }
            }
            return (0, export.oversize)
        }
        if oversize > 0 { Ending.complain("\(oversize) elements are left out: the log has only their heads, and the list LIST:oversize in Redis all of them") }
        if missing > 0 {
            Ending.complain("no-such-letter: \(missing) of the letters are not there")
            throw Ending.notGood
        }
    }
}

/// Prints elements of the log, each once, and keeps one chunk at a time.
private struct LetterExport {
    let reader: Reader
    private var chunk: Chunk?
    private var last: (partition: PartitionID, offset: Int64)?
    private(set) var oversize = 0

    init(reader: Reader) { self.reader = reader }

    /// Letters in the order of the log.
    mutating func add(_ letters: [DeadLetter]) async throws {
        for letter in letters {
            // Of another model.
            if let last, last == (letter.partition, letter.offset) { continue }
            last = (letter.partition, letter.offset)
            if chunk.map({ $0.partition != letter.partition || !($0.offset..<$0.end).contains(letter.offset) }) ?? true {
                chunk = try await reader.log.chunks(of: letter.partition, from: letter.offset, events: 1).first
            }
            guard let chunk, (chunk.offset..<chunk.end).contains(letter.offset) else {
                throw Refusal(.logDamaged, "the log of \(letter.partition) has nothing at \(letter.offset), where a dead letter is from")
            }
            guard letter.refusal.problem != .oversize else {
                oversize += 1
                continue
            }
            // Line breaks between the parts of an object mean nothing; within its strings there are none.
            Output.line(chunk.bytes(at: Int(letter.offset - chunk.offset)).map { [10, 13].contains($0) ? 32 : $0 })
        }
    }
}
