import Events
import Foundation

/// What a sandbox has started: kept in a file from before the first server runs, so that `down` can clean up after an
/// `up` that was interrupted anywhere.
struct SandboxState: Codable {
    struct Record: Codable {
        var port: Int
        /// Of the last start.
        var process: ServerProcess?
    }

    private(set) var format = 1
    var options: Sandbox.Options
    /// The members know each other by their ports, which must not change any more.
    var isInitiated = false
    private(set) var servers: [String: Record] = [:]

    init(options: Sandbox.Options) throws {
        self.options = options
        for server in Sandbox.Server.allCases { self[server] = Record(port: try Port.free()) }
    }

    /// Port 0, which nothing listens on, for a server that the file does not know.
    subscript(server: Sandbox.Server) -> Record {
        get { servers[server.rawValue] ?? Record(port: 0) }
        set { servers[server.rawValue] = newValue }
    }

    /// nil where there is none.
    static func read(_ file: URL) throws -> SandboxState? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        let state: SandboxState
        do {
            state = try JSONDecoder().decode(SandboxState.self, from: Data(contentsOf: file))
        } catch {
            throw Refusal(.badInput, "\(file.path) cannot be read: stop its servers by hand and remove its directory (\(error))")
        }
        guard state.format == 1 else {
            throw Refusal(.newerFormat, "\(file.path) was written by a newer millrace: use that one")
        }
        return state
    }

    /// The whole of it or nothing, through a draft beside it. The draft's name is known, which those of Foundation's
    /// atomic writes are not: a writer that is killed leaves it behind, and `down` must find it.
    func write(_ file: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let draft = Self.draft(of: file)
        try encoder.encode(self).write(to: draft)
        guard rename(draft.path, file.path) == 0 else {
            throw Refusal(.badConfiguration, "\(file.path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    /// - Parameter file: of a state.
    static func draft(of file: URL) -> URL { file.appendingPathExtension("draft") }
}
