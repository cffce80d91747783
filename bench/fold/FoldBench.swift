import Definitions
import Events
import Foundation
import Models
import Values

/// Decodes and folds a file of events in memory, on one core: what Millrace costs without its servers.
///
///     fold-bench CONFIG STREAM FILE [DOCUMENTS]
///
/// The elements are decoded in runs as long as a chunk, as a worker does it, and folded by every model of the stream. Prints
/// the events and the seconds of CPU that they took; reading the file is not measured. DOCUMENTS gets the documents, one a
/// line, for whoever compares them.
@main
struct FoldBench {
    static func main() {
        do {
            try run()
        } catch {
            FileHandle.standardError.write(Data("fold-bench: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard (3...4).contains(arguments.count) else { throw Complaint("fold-bench CONFIG STREAM FILE [DOCUMENTS]") }
        let (directory, name, file) = (arguments[1], arguments[2], arguments[3])
        let configuration = try Configuration.load(directory: directory, jobs: "\(directory)/jobs", environment: [:])
        guard let stream = configuration.stream(name) else { throw Complaint("there is no stream \(name)") }
        let pages = try pages(of: file, stream.chunkEvents)

        var bench = FoldBench(stream: stream, builds: configuration.models(of: name).map { Build(fold: $0.fold) })
        let began = cpuSeconds()
        for page in pages { try bench.take(page) }
        let seconds = cpuSeconds() - began

        if arguments.count == 4 { try bench.write(to: arguments[4]) }
        let result: Document = [
            "events": .int64(bench.events), "parked": .int64(bench.parked), "documents": .int64(Int64(bench.builds.reduce(0) { $0 + $1.documents.count })),
            "seconds": .double(seconds),
        ]
        print(JSON.write(.document(result)))
    }

    /// The documents of one model, by the number of their key.
    private struct Build {
        let fold: EffectFold
        var documents: [Document?] = []
    }

    private let stream: StreamSettings
    private var builds: [Build]
    private var keys = NameTable()
    private var types = NameTable()
    private var events: Int64 = 0
    private var parked: Int64 = 0

    private init(stream: StreamSettings, builds: [Build]) {
        self.stream = stream
        self.builds = builds
    }

    private mutating func take(_ page: RawElements) throws {
        let tape = page.parse()
        try withExtendedLifetime(tape) {
            for place in 0..<page.count {
                let root = try tape.root(place).get()
                let envelope = try stream.envelope(of: root)
                let (key, type) = (Self.number(of: envelope.key, in: &keys), Self.number(of: envelope.type, in: &types))
                let event = Event(type: types.names[type], key: keys.names[key].text, time: envelope.time, root: root, shape: stream.shape)
                for build in builds.indices where !Self.fold(event, key, &builds[build]) { parked += 1 }
                events += 1
            }
        }
    }

    /// False for an event that is parked.
    private static func fold(_ event: Event, _ key: Int, _ build: inout Build) -> Bool {
        while build.documents.count <= key { build.documents.append(nil) }
        return (try? build.fold.fold(event, into: &build.documents[key])) != nil
    }

    private static func number(of name: Envelope.Name, in table: inout NameTable) -> Int {
        switch name {
        case .bytes(let bytes): table.number(of: bytes)
        case .made(let text): table.number(of: ExactString(text))
        }
    }

    private func write(to file: String) throws {
        var text = ""
        for build in builds {
            for (number, fields) in build.documents.enumerated() {
                guard let fields else { continue }
                text += JSON.write(.document(Document([.init("_id", .string(keys.names[number].text))] + fields.fields))) + "\n"
            }
        }
        try Data(text.utf8).write(to: URL(filePath: file))
    }

    /// The lines of a file, in runs.
    private static func pages(of file: String, _ length: Int) throws -> [RawElements] {
        let text = [UInt8](try Data(contentsOf: URL(filePath: file)))
        var pages: [RawElements] = []
        var page = RawElements()
        text.withUnsafeBytes { text in
            var start = 0
            while let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) {
                page.append(UnsafeRawBufferPointer(rebasing: text[start..<end]))
                start = end + 1
                guard page.count == length else { continue }
                pages.append(page)
                page = RawElements()
            }
        }
        return pages + [page]
    }

    /// Of this process: others on the same core do not count.
    private static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

private struct Complaint: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
