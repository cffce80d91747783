/// What MongoDB can be reached by, and which options of the URL would break a promise.
enum MongoURL {
    /// All faults at once: one for each unsafe option.
    static func faults(_ text: String) -> [URLFault] {
        do throws(URLFault) {
            let url = try ServerURL(text, example: "mongodb://127.0.0.1:27017/?replicaSet=rs0")
            switch url.scheme {
            case "mongodb": break
            case "mongodb+srv":
                guard url.hosts.count == 1, let host = url.hosts.first, !host.contains(":") else {
                    throw URLFault("mongodb+srv:// takes one host and no port: both come from DNS")
                }
            default: throw URLFault("has a scheme that MongoDB has not", "mongodb:// or mongodb+srv://")
            }
            try url.checkUser()
            if url.user == "" { throw URLFault("has an @ without a user") }
            for host in url.hosts { try ServerURL.check(host: host) }
            if url.path.isEmpty, text.contains("?") { throw URLFault("has options right after the host", "put a / before the ?") }
            return url.options.compactMap { unsafe($0.name, $0.value) ?? fault(option: $0.name, $0.value) }
        } catch {
            return [error]
        }
    }

    /// Why an option cannot be had: Millrace says what it needs with every operation, and a URL that asks for less would
    /// be either ignored or obeyed somewhere.
    private static func unsafe(_ name: String, _ value: String) -> URLFault? {
        switch (name, value.lowercased()) {
        case ("w", "majority"), ("readconcernlevel", "majority"), ("retrywrites", "true"), ("journal", "true"), ("readpreference", "primary"): nil
        case ("w", _): URLFault("w other than majority loses acknowledged writes in a failover", "leave w out")
        case ("readconcernlevel", _): URLFault("readConcernLevel other than majority reads what a failover takes back", "leave readConcernLevel out")
        case ("retrywrites", _): URLFault("retryWrites=false turns every failover into errors", "leave retryWrites out")
        case ("journal", _): URLFault("journal=false acknowledges what a crash loses", "leave journal out")
        case ("readpreference", _): URLFault("readPreference other than primary reads old checkpoints", "leave readPreference out")
        case ("maxstalenessseconds", _): URLFault("maxStalenessSeconds is for reads from secondaries", "leave maxStalenessSeconds out")
        case ("readpreferencetags", _): URLFault("readPreferenceTags is for reads from secondaries", "leave readPreferenceTags out")
        case ("directconnection", "true"): URLFault("directConnection=true does not follow a failover", "leave directConnection out")
        case ("safe", _): URLFault("safe is the old name of w and journal", "leave safe out")
        default: nil
        }
    }

    /// Why MongoDB would refuse a database of this name, or Millrace should.
    static func fault(database name: String) -> String? {
        if name.isEmpty || name.utf8.count > 63 { return "must have 1 to 63 bytes" }
        if let character = name.first(where: { "/\\. \"$*<>:|?\0".contains($0) }) {
            return "must not hold the character \(quoted(String(character)))"
        }
        if ["admin", "local", "config"].contains(name.lowercased()) { return "must not be one of MongoDB's own databases admin, local and config" }
        return nil
    }
}
