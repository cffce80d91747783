import Events
import Foundation

/// Files of configuration as text.
enum SourceFile {
    /// Far more than anybody writes by hand.
    static let maximumSize = ByteCount.mebibytes(1)

    /// The file's text. Throws when it is missing, unreadable, a directory, too large or not UTF-8.
    static func read(_ path: String) throws(ConfigurationProblem) -> String {
        // Without blocking: a pipe that nobody writes to would hold up the start for ever.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ConfigurationProblem(file: path, message: errno == ENOENT ? "there is no such file" : "cannot be read: \(reason(errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw ConfigurationProblem(file: path, message: "cannot be read: \(reason(errno))") }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw ConfigurationProblem(file: path, message: "is a directory, expected a file")
        default: throw ConfigurationProblem(file: path, message: "is not a regular file")
        }
        return try text(try bytes(descriptor, path), path)
    }

    /// The names of the YAML files in a directory, sorted; nil when there is no such directory. Hidden files, among them
    /// the lock files of editors and the links of mounted volumes, and files of other kinds do not count.
    static func names(in directory: String, _ findings: Findings) -> [String]? {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory) else { return nil }
        guard isDirectory.boolValue else {
            findings.report("is a file, expected a directory", at: nil)
            return []
        }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { !$0.hasPrefix(".") }.sorted()
        } catch {
            findings.report("the directory cannot be read", at: nil)
            return []
        }
        for name in names where name.lowercased().hasSuffix(".yml") || (name.lowercased().hasSuffix(".yaml") && !name.hasSuffix(".yaml")) {
            findings.report("\(quoted(name)) would not be read: only files that end in .yaml are", at: nil, suggestion: "rename it")
        }
        return names.filter { $0.hasSuffix(".yaml") }
    }

    private static func bytes(_ descriptor: Int32, _ path: String) throws(ConfigurationProblem) -> [UInt8] {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while content.count <= maximumSize.bytes {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw ConfigurationProblem(file: path, message: "cannot be read: \(reason(errno))")
            }
            if count == 0 { return content }
            content += buffer[..<count]
        }
        throw ConfigurationProblem(file: path, message: "is larger than \(Units.format(maximumSize))")
    }

    private static func text(_ bytes: [UInt8], _ path: String) throws(ConfigurationProblem) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
        throw ConfigurationProblem(file: path, line: line.map { $0 + 1 }, message: "is not UTF-8 text")
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
