import Foundation

/// The package that is tested, and where its parts are.
enum Root {
    /// This file is Tests/Faults/Support/Root.swift.
    static let directory = (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }

    static func path(_ relative: String) -> String { directory.appending(path: relative).path }

    /// A new folder that nobody else uses.
    static func temporaryDirectory(_ name: String) throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(path: "millrace-faults-\(name)-\(UUID().uuidString.prefix(8).lowercased())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    /// More rounds of everything that has rounds: minutes instead of seconds.
    static let isLong = ProcessInfo.processInfo.environment["MILLRACE_LONG"] == "1"
}

/// How the command was compiled.
enum Build: String, Sendable {
    /// Carries the named crash points.
    case debug
    /// What is shipped.
    case release

    /// `MILLRACE_BIN_DEBUG` or `MILLRACE_BIN_RELEASE`, else where SwiftPM puts it.
    var program: String {
        ProcessInfo.processInfo.environment["MILLRACE_BIN_\(rawValue.uppercased())"] ?? Root.path(".build/\(rawValue)/millrace")
    }
}
