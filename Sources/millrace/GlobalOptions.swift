import ArgumentParser
import Definitions
import Foundation
import Logging

/// Options that every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The folder with millrace.yaml and models/.")
    var directory = "config"

    @Option(name: .customLong("jobs"), help: "The folder with the jobs.")
    var jobs = "jobs"

    @Flag(help: "Print one JSON document.")
    var json = false

    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: Logger.Level = .info

    /// A logger to standard error: standard output is for results.
    var logger: Logger {
        var logger = Logger(label: "millrace") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        return logger
    }

    func load() throws -> Configuration {
        try Configuration.load(directory: directory, jobs: jobs, environment: ProcessInfo.processInfo.environment)
    }

    /// The same, as far as it can be read, with what is wrong beside it.
    func check() -> ConfigurationCheck {
        Configuration.check(directory: directory, jobs: jobs, environment: ProcessInfo.processInfo.environment)
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
