import Events
import Values

/// Reads `millrace.yaml`.
struct ConfigurationReader {
    let findings: Findings
    /// What the environment says; its problems are reported under the variable's name.
    let environment: [String: String]

    static let keys = ["redis", "mongodb", "lease", "runs", "health", "api", "streams"]
    static let redisKeys = ["url"]
    static let mongodbKeys = ["url", "database"]
    static let runsKeys = ["keep"]
    static let healthKeys = ["listen"]
    static let apiKeys = ["listen", "rate", "concurrency", "deadline", "connections", "tls", "issuer"]
    static let issuerKeys = ["url", "audience", "keys"]
    static let tlsKeys = ["certificate", "key"]

    /// What could be read. `names` holds every stream that the file names, also those with mistakes, so that a model of
    /// one is not reported for it; it is nil when the file could not be read that far.
    struct Settings {
        var redis = Configuration.Redis()
        var mongodb = Configuration.MongoDB()
        var lease = Configuration.defaultLease
        var keepRuns = Configuration.defaultKeepRuns
        var healthListen: ListenAddress?
        var api = APISettings()
        var streams: [StreamSettings] = []
        /// What the streams say of the versions of their events.
        var versions: [String: StreamVersions] = [:]
        var names: Set<String>?
        /// Problems of the environment.
        var problems: [ConfigurationProblem] = []
    }

    func read(_ source: String?) -> Settings {
        var settings = Settings()
        if let source { read(source, &settings) }
        applyEnvironment(&settings)
        applyListen(&settings)
        return settings
    }

    private func read(_ source: String, _ settings: inout Settings) {
        guard let root = YAMLReader.read(source, findings), Section.checkVersion(root, findings),
            let section = Section.root(root, "millrace.yaml", keys: Self.keys, findings)
        else { return }
        if let node = section["redis"], let redis = Section(node, "redis:", keys: Self.redisKeys, findings), let url = redis["url"] {
            settings.redis.url = self.url(url, overriddenBy: "MILLRACE_REDIS_URL", URLFault.ofRedis) ?? settings.redis.url
        }
        if let node = section["mongodb"], let mongodb = Section(node, "mongodb:", keys: Self.mongodbKeys, findings) {
            if let url = mongodb["url"] {
                settings.mongodb.url = self.url(url, overriddenBy: "MILLRACE_MONGODB_URL", MongoURL.faults) ?? settings.mongodb.url
            }
            if let node = mongodb["database"], let name = findings.string(node, "database") {
                if let fault = MongoURL.fault(database: name) { findings.report("database: \(quoted(name)) \(fault)", at: node.place) }
                settings.mongodb.database = name
            }
        }
        if let node = section["lease"] {
            settings.lease = findings.duration(node, "lease", in: Configuration.leaseRange) ?? settings.lease
        }
        if let node = section["runs"], let runs = Section(node, "runs:", keys: Self.runsKeys, findings), let keep = runs["keep"] {
            settings.keepRuns = findings.duration(keep, "keep", in: Configuration.keepRunsRange) ?? settings.keepRuns
        }
        if let node = section["health"], let health = Section(node, "health:", keys: Self.healthKeys, findings), let listen = health["listen"] {
            settings.healthListen = address(listen)
        }
        if let node = section["api"], let api = Section(node, "api:", keys: Self.apiKeys, findings) { read(api, &settings.api) }
        guard let streams = section.required("streams") else { return }
        (settings.streams, settings.versions, settings.names) = StreamReader(findings: findings).read(streams)
    }

    private func read(_ section: Section, _ api: inout APISettings) {
        if let node = section["listen"] { api.listen = address(node) }
        if let node = section["rate"] { api.rate = findings.integer(node, "rate", in: APISettings.rateRange) }
        if let node = section["concurrency"] { api.concurrency = findings.integer(node, "concurrency", in: APISettings.concurrencyRange) ?? api.concurrency }
        if let node = section["deadline"] { api.deadline = findings.duration(node, "deadline", in: APISettings.deadlineRange) ?? api.deadline }
        if let node = section["connections"] { api.connections = findings.integer(node, "connections", in: APISettings.connectionsRange) ?? api.connections }
        if let node = section["tls"], let tls = Section(node, "tls:", keys: Self.tlsKeys, findings), let certificate = tls.required("certificate"),
            let key = tls.required("key"), let certificate = findings.string(certificate, "certificate"), let key = findings.string(key, "key")
        {
            api.tls = APISettings.TLSFiles(certificate: certificate, key: key)
        }
        if let node = section["issuer"], let issuer = Section(node, "issuer:", keys: Self.issuerKeys, findings) { api.issuer = read(issuer) }
    }

    private func read(_ section: Section) -> APISettings.Issuer? {
        let texts = Self.issuerKeys.map { name in section.required(name).flatMap { findings.string($0, name) } }
        guard let url = texts[0], let audience = texts[1], let keys = texts[2] else { return nil }
        let isLocal = ["localhost", "127.0.0.1", "[::1]"].contains { host in ["/", ":"].contains { keys.hasPrefix("http://\(host)\($0)") } }
        if keys.hasPrefix("http://"), !isLocal, let node = section["keys"] {
            findings.report("keys: \(quoted(keys)) could be anybody's on the way", at: node.place, suggestion: "write an https URL, or the path of a file")
        }
        return APISettings.Issuer(url: url, audience: audience, keys: keys)
    }

    /// A URL of the file. One that the environment overrides is not looked into: it may be meant for another place.
    private func url(_ node: YAMLNode, overriddenBy variable: String, _ faults: (String) -> [URLFault]) -> String? {
        guard let url = findings.string(node, "url") else { return nil }
        guard value(variable) == nil else { return url }
        for fault in faults(url) { findings.report("url: \(quoted(url)): \(fault.message)", at: node.place, suggestion: fault.suggestion) }
        return url
    }

    private func address(_ node: YAMLNode) -> ListenAddress? {
        guard let text = findings.string(node, "listen") else { return nil }
        if let address = ListenAddress(text) { return address }
        findings.report("listen: \(quoted(text)) is no address", at: node.place, suggestion: Self.anAddress)
        return nil
    }

    private static let anAddress = "write one such as 127.0.0.1:9090, or off"

    private func applyEnvironment(_ settings: inout Settings) {
        if let url = value("MILLRACE_REDIS_URL") {
            settings.redis.url = url
            settings.problems += problems("MILLRACE_REDIS_URL", url, URLFault.ofRedis(url))
        }
        if let url = value("MILLRACE_MONGODB_URL") {
            settings.mongodb.url = url
            settings.problems += problems("MILLRACE_MONGODB_URL", url, MongoURL.faults(url))
        }
        if let name = value("MILLRACE_MONGODB_DATABASE") {
            settings.mongodb.database = name
            settings.problems += problems("MILLRACE_MONGODB_DATABASE", name, MongoURL.fault(database: name).map { [URLFault($0)] } ?? [])
        }
    }

    private func applyListen(_ settings: inout Settings) {
        func address(_ variable: String, _ address: inout ListenAddress?) {
            guard let text = value(variable) else { return }
            address = ListenAddress(text)
            guard address == nil else { return }
            settings.problems.append(ConfigurationProblem(file: variable, message: "\(quoted(text)) is no address", suggestion: Self.anAddress))
        }
        address("MILLRACE_HEALTH_LISTEN", &settings.healthListen)
        address("MILLRACE_API_LISTEN", &settings.api.listen)
    }

    /// An empty variable counts as unset, as it does in the shell's `${NAME:-default}`.
    private func value(_ variable: String) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }

    private func problems(_ variable: String, _ value: String, _ faults: [URLFault]) -> [ConfigurationProblem] {
        faults.map { ConfigurationProblem(file: variable, message: "\(quoted(value)): \($0.message)", suggestion: $0.suggestion) }
    }
}
