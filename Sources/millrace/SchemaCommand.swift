import ArgumentParser
import Definitions
import Foundation

struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Writes the JSON Schemas of every kind of file, for editors.",
        discussion: "A file names its schema in its first line: # yaml-language-server: $schema=../schema/model.schema.json"
    )

    @Argument(help: "The folder to write them to.")
    var folder = "config/schema"

    func run() async throws {
        do {
            let folder = URL(filePath: folder)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for file in SchemaFiles.all { try Data(file.text.utf8).write(to: folder.appending(path: file.name), options: .atomic) }
        } catch {
            Ending.complain("the schemas cannot be written to \(folder): \(error.localizedDescription)")
            throw Ending.cannotWrite
        }
        for file in SchemaFiles.all { Output.line("\(folder)/\(file.name)") }
    }
}
