import Events
import Foundation
import Jobs

/// The lines of a file or of standard input, in runs. Empty lines are left out.
struct LineReader {
    private let path: String
    private let handle: FileHandle
    private var lines: LineSplitter

    private static let block = 1 << 20

    init(path: String, mostBytes: Int = .max) throws(Refusal) {
        self.path = path
        lines = LineSplitter(mostBytes: mostBytes)
        if path == "-" {
            handle = .standardInput
        } else if let file = FileHandle(forReadingAtPath: path) {
            handle = file
        } else {
            throw Self.unreadable(path)
        }
    }

    private static func unreadable(_ path: String) -> Refusal { Refusal(.badInput, "\(path) cannot be read: is it there, and a file?") }

    mutating func next(_ count: Int) async throws -> [[UInt8]] {
        let (handle, path) = (handle, path)
        return try await lines.next(count) {
            do {
                return try handle.read(upToCount: Self.block).map { [UInt8]($0) }
            } catch {
                throw Self.unreadable(path)
            }
        }
    }
}
