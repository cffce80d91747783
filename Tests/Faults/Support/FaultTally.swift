import Foundation

/// The file that rounds are added to, one line of JSON each, so that several runs share the work:
/// `MILLRACE_FAULTS_TALLY`, or `.local/faults.tally.ndjson`. `scripts/test --tally` adds it up.
actor FaultTally {
    struct Line: Encodable, Sendable {
        /// Two names with a plus between them for a pair.
        var fault: String
        var round: Int
        var seed: UInt64
        var events = 0
        var lost = 0
        var doubled = 0
        var reordered = 0
        var different = 0
        /// Seconds without progress, at most, after the end of the fault.
        var stall: Double?
        var seconds: Double
        /// Which variant of the fault it was.
        var detail = ""
        /// Why the round did not come to its end.
        var failure: String?
        var commit = FaultTally.commit
        var date = Date.now.formatted(.iso8601)
    }

    fileprivate static let commit = ProcessInfo.processInfo.environment["MILLRACE_COMMIT"] ?? ""

    private let file: URL

    init() {
        file = URL(filePath: ProcessInfo.processInfo.environment["MILLRACE_FAULTS_TALLY"] ?? Root.path(".local/faults.tally.ndjson"))
    }

    func add(_ lines: [Line]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try lines.reduce(into: Data()) { try $0.append(encoder.encode($1) + Data("\n".utf8)) }
        if !FileManager.default.fileExists(atPath: file.path) { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: bytes)
    }
}
