import Events
import Foundation

/// Where the servers' programs are.
enum Binary {
    /// The program's path: from the environment variable, the `PATH`, or `.local/bin` of the current directory, where
    /// `scripts/setup` puts what the system does not have.
    static func find(_ name: String, variable: String) throws -> String {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment[variable], !path.isEmpty {
            guard isProgram(path) else { throw Refusal(.badConfiguration, "\(variable) names \(path), which is not a program") }
            return path
        }
        let directories = (environment["PATH"] ?? "").split(separator: ":").map(String.init) + [".local/bin"]
        guard let path = directories.map({ "\($0)/\(name)" }).first(where: isProgram) else {
            throw Refusal(.badConfiguration, "\(name) is neither on the PATH nor in .local/bin: run scripts/setup")
        }
        return URL(filePath: path).standardizedFileURL.path
    }

    private static func isProgram(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
            && FileManager.default.isExecutableFile(atPath: path)
    }
}
