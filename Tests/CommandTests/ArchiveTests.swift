import EventFixtures
import Foundation
import Testing
import Values

/// `events export` and `events import`.
@Suite(.serialized) struct ArchiveTests {
    private static func event(_ id: Int, _ delta: Int32 = 1) -> EventText {
        EventText("\(id)", "stockAdjusted", key: .string("key-\(id % 7)"), data: ["delta": .int32(delta)], occurredAt: "2026-11-20T10:00:00Z")
    }

    private static func push(_ installation: Installation, _ lines: [String], code: Int32 = 0) async throws {
        #expect(try await installation.millrace("push", "product", input: lines.joined(separator: "\n")).code == 0)
        let drained = try await installation.millrace("drain", "--once")
        #expect(drained.code == code, "\(drained.errors)")
    }

    /// Runs `body` with two installations, in several chunks; the first one has 40 events, five duplicates and no event.
    private func run(partitions: Int = 2, other: Int? = nil, _ body: (Installation, Installation) async throws -> Void) async throws {
        func configure(_ installation: Installation, _ partitions: Int) throws {
            let stream = "product: { list: \"\(installation.name):{product}\", partitions: \(partitions), chunk: { events: 6 } }"
            try installation.write("config/millrace.yaml", "version: 1\nlease: 2s\nstreams: { \(stream) }\n")
        }
        try await Installation.run { source in
            try await Installation.run { target in
                try configure(source, partitions)
                try configure(target, other ?? partitions)
                try await Self.push(source, (0..<40).map { Self.event($0).json } + (10..<15).map { Self.event($0).json } + ["no event"], code: 1)
                try await body(source, target)
            }
        }
    }

    private func export(_ source: Installation, _ name: String, _ more: [String] = []) async throws -> (file: String, report: Document) {
        let file = source.directory.appending(path: name).path
        let ended = try await source.start(["events", "export", "product", file, "--json"] + more).ended()
        guard ended.code == 0, let report = try ended.documents().first else { throw Failure("\(ended.code) \(ended.errors)") }
        return (file, report)
    }

    /// The log without what is the installation's own.
    private func log(_ installation: Installation) async throws -> [Document] {
        try await installation.jsonLines("events", "product").map { line in
            var line = line
            line["position"] = nil
            return line
        }
    }

    private func documents(_ installation: Installation) async throws -> [Document] {
        try await installation.documents("product@1").sorted { $0["_id"]?.asString ?? "" < $1["_id"]?.asString ?? "" }
    }

    @Test func `an archive makes the same log and the same documents elsewhere, and twice changes nothing`() async throws {
        try await run { source, target in
            let (file, report) = try await export(source, "all")
            #expect(report["elements"] == 46)
            #expect(try await target.json("events", "import", "product", file) == ["imported": 46, "known": 0])
            #expect(try await log(target) == log(source))
            #expect(try await target.json("events", "import", "product", file) == ["imported": 0, "known": 46])
            let receipt = try await target.json("drain", "--once", code: 1)
            #expect(receipt["models"]?.asDocument?["product"]?.number("applied") == 40)
            #expect(try await documents(target) == documents(source))
            #expect(try await documents(target).count == 7)
            let totals = ["received", "logged", "duplicates", "undecodable"]
            let (status, own) = (
                try await target.json("status")["streams"]?.asDocument?["product"], try await source.json("status")["streams"]?.asDocument?["product"]
            )
            #expect(totals.map { status?.number($0) } == totals.map { own?.number($0) } && status?.number("received") == 46)

            // What came since, from the positions that the export said; through a pipe.
            try await Self.push(source, (40..<60).map { Self.event($0, 100).json })
            let after = report["positions"]?.asArray?.compactMap(\.asString).flatMap { ["--after", $0] } ?? []
            #expect(after.count == 4)
            let (more, _) = try await export(source, "more", after)
            let piped = try await target.start(program: "bash", ["-c", "cat \(more) | \(Installation.program) events import product"]).ended()
            #expect(piped.code == 0 && piped.output.hasPrefix("imported 20 elements; "), "\(piped.output) \(piped.errors)")
            #expect(try await log(target) == log(source))
            _ = try await target.json("drain", "--once")
            #expect(try await documents(target) == documents(source))
        }
    }

    @Test func `behind a log of its own, offsets and originals are moved, and a running service folds what comes`() async throws {
        try await run(partitions: 1) { source, target in
            try await Self.push(target, (100..<110).map { Self.event($0).json })
            let service = try target.start(["run"])
            // Its first look is over.
            try await Task.sleep(for: .seconds(1))
            let (file, _) = try await export(source, "all")
            #expect(try await target.json("events", "import", "product", file)["imported"] == 46)
            _ = try await eventually(within: .seconds(20), "the service folds it") {
                try await target.json("status")["models"]?.asDocument?["product"]?.number("applied") == 50 ? true : nil
            }
            service.send(15)
            #expect(try await service.ended().code == 0)
            let imported = try await log(target).dropFirst(10)
            #expect(imported.map { $0["event"] } == (try await log(source).map { $0["event"] }))
            #expect(imported.compactMap { $0["original"]?.asInteger } == (20..<25).map { $0 })
            // Who pushes one of the imported events again is told apart as ever.
            try await Self.push(target, [Self.event(3).json])
            #expect(try await log(target).last?["original"] == 13)
        }
    }

    @Test func `an import that was killed is finished by the next one`() async throws {
        try await run { source, target in
            let (file, _) = try await export(source, "all")
            for count in 1...3 {
                let ended = try await target.millrace("events", "import", "product", file, environment: ["MILLRACE_CRASH_AT": "chunk-appended:\(count)"])
                #expect(ended.code == 137)
            }
            let last = try await target.json("events", "import", "product", file)
            #expect(last.number("imported") == 46 - (last.number("known") ?? 0) && last.number("known") ?? 0 > 12)
            #expect(try await log(target) == log(source))
        }
    }

    @Test func `what cannot be imported is refused, and says why`() async throws {
        try await run { source, target in
            let (file, report) = try await export(source, "all")
            func refused(_ file: String, by installation: Installation, _ code: Int32, _ words: String) async throws {
                let ended = try await installation.millrace("events", "import", "product", file)
                #expect(ended.code == code && ended.errors.contains(words), "\(words): \(ended.code) \(ended.errors)")
            }
            try await refused(file, by: source, 65, "from this very log")
            try await refused("config/millrace.yaml", by: target, 65, "no archive of events")
            try await refused("nowhere", by: target, 65, "cannot be read")
            let bytes = try Data(contentsOf: URL(filePath: file))
            for (name, data, words) in [
                ("short", bytes.prefix(bytes.count - 20), "no archive of events, or is damaged"), ("cut", bytes.prefix(bytes.count / 2), "damaged"),
                ("more", bytes + bytes.suffix(8), "behind its end"),
            ] as [(String, Data, String)] {
                try data.write(to: source.directory.appending(path: name))
                let ended = try await target.millrace("events", "import", "product", source.directory.appending(path: name).path)
                #expect(ended.code == 65, "\(name): \(words): \(ended.errors)")
            }
            var flipped = bytes
            flipped[flipped.count / 2] ^= 4
            try flipped.write(to: source.directory.appending(path: "flipped"))
            try await refused(source.directory.appending(path: "flipped").path, by: target, 65, "the archive is damaged")
            // What was whole was imported; the rest follows.
            #expect(try await target.json("events", "import", "product", file).number("imported") ?? 0 >= 0)
            #expect(try await log(target) == log(source))

            let after = report["positions"]?.asArray?.compactMap(\.asString).flatMap { ["--after", $0] } ?? []
            try await Self.push(source, (40..<60).map { Self.event($0).json })
            let gap = try await export(source, "gap", after).file
            try await Installation.run(partitions: 2) { fresh in try await refused(gap, by: fresh, 65, "nothing before it is imported up to 0") }
            try await Installation.run(partitions: 3) { fresh in try await refused(file, by: fresh, 78, "a stream with 2 partitions") }
            #expect(try await source.millrace("events", "export", "product", file).code == 65, "a file that is there")
        }
    }
}
