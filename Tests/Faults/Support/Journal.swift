import Foundation

/// What was pushed, in order: the file that the oracle reads. Elements that are not a line of text are wrapped.
actor Journal {
    nonisolated let file: URL
    private let handle: FileHandle
    /// Elements in the journal.
    private(set) var count = 0

    init(in directory: URL, name: String = "journal") throws {
        // The oracle unwraps only in files of this name.
        file = directory.appending(path: "\(name).b64.ndjson")
        guard FileManager.default.createFile(atPath: file.path, contents: nil) else { throw Failure("\(file.path) cannot be written") }
        handle = try FileHandle(forWritingTo: file)
    }

    func append(_ elements: [[UInt8]]) throws {
        try handle.write(contentsOf: Data(elements.map { Self.line($0) + [UInt8(ascii: "\n")] }.joined()))
        count += elements.count
    }

    private static func line(_ element: [UInt8]) -> [UInt8] {
        guard element.contains(UInt8(ascii: "\n")) else { return element }
        return Array("{\"raw_base64\":\"\(Data(element).base64EncodedString())\"}".utf8)
    }

    /// The elements, as they were pushed. For journals of text.
    nonisolated func lines() throws -> [String] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}
