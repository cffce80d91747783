import Events
import Models

extension Configuration {
    /// Reads `millrace.yaml` and `models/` below `directory`, and the jobs.
    ///
    /// `MILLRACE_REDIS_URL`, `MILLRACE_MONGODB_URL` and `MILLRACE_MONGODB_DATABASE` go before the file; empty counts as
    /// unset. Without a directory of jobs there are none.
    ///
    /// Throws everything that is wrong at once.
    public static func load(directory: String, jobs: String, environment: [String: String]) throws(ConfigurationProblems) -> Configuration {
        let check = check(directory: directory, jobs: jobs, environment: environment)
        guard let configuration = check.configuration else { throw ConfigurationProblems(check.problems) }
        return configuration
    }

    /// The same, as far as it can be read, with what is wrong beside it.
    public static func check(directory: String, jobs: String, environment: [String: String]) -> ConfigurationCheck {
        let directory = trimmed(directory)
        let main = Findings(file: "\(directory)/millrace.yaml")
        let settings = ConfigurationReader(findings: main, environment: environment).read(text(main))
        let native = Set(settings.streams.filter { if case .native = $0.shape.format { true } else { false } }.map(\.name))
        var files = ModelFiles(directory: "\(directory)/models", streams: settings.names, native: native, versions: settings.versions)
        files.read()
        let models = files.problems.isEmpty ? Set(files.models.map(\.name)) : nil
        var jobFiles = JobFiles(directory: trimmed(jobs), settings: settings, models: models)
        jobFiles.read()

        let problems = main.problems + settings.problems + files.problems + jobFiles.problems
        let configuration = Configuration(
            redis: settings.redis, mongodb: settings.mongodb, lease: settings.lease, keepRuns: settings.keepRuns, healthListen: settings.healthListen,
            api: settings.api,
            streams: settings.streams, models: files.models.sorted { $0.name < $1.name }, jobs: jobFiles.jobs
        )
        return ConfigurationCheck(
            problems: problems, summary: ConfigurationSummary(configuration), configuration: problems.isEmpty ? configuration : nil
        )
    }

    /// A file's text, or nil after it was reported.
    static func text(_ findings: Findings) -> String? {
        do {
            return try SourceFile.read(findings.file)
        } catch {
            findings.report(error)
            return nil
        }
    }

    static func trimmed(_ path: String) -> String {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }
}
