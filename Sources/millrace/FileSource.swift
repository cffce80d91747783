import Projector

/// A file that holds the rows of a source of truth, a JSON object a line.
struct FileSource: TruthSource {
    let path: String

    let mostIds: (count: Int, bytes: Int)? = nil

    func read(_ ids: [String]?, _ take: ([[UInt8]]) async throws -> Void) async throws {
        var lines = try LineReader(path: path, mostBytes: SourceRow.mostBytes)
        while true {
            let page = try await lines.next(SourceRow.page)
            if page.isEmpty { return }
            try await take(page)
        }
    }
}
