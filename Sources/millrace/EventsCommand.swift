import ArgumentParser

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "The event log: millrace events STREAM prints it.",
        subcommands: [EventsShowCommand.self, EventsFollowersCommand.self, EventsExportCommand.self, EventsImportCommand.self],
        defaultSubcommand: EventsShowCommand.self
    )
}
