/// What Redis can be reached by: `redis://[user]:password@host:port/database` or `unix://[…@]/path?db=n`.
enum RedisURL {
    static func faults(_ text: String) -> [URLFault] {
        do throws(URLFault) {
            let url = try ServerURL(text, example: "redis://127.0.0.1:6379")
            switch url.scheme {
            case "redis": try checkTCP(url)
            case "unix": try checkUnix(url)
            case "rediss":
                throw URLFault(
                    "rediss:// is not supported: the client library of Debian 12, hiredis 0.14, has no TLS",
                    "run a tunnel beside Millrace, such as socat TCP-LISTEN:6379,bind=127.0.0.1,fork,reuseaddr OPENSSL:HOST:PORT,verify=1,"
                        + " and write redis://127.0.0.1:6379"
                )
            default: throw URLFault("has a scheme that Redis has not", "redis:// or unix://")
            }
            try url.checkUser()
            if let user = url.user, url.password == nil {
                throw URLFault(user.isEmpty ? "has an @ without a user" : "has a user without a password", "a password alone is written :password@")
            }
            return []
        } catch {
            return [error]
        }
    }

    private static func checkTCP(_ url: ServerURL) throws(URLFault) {
        guard url.hosts.count == 1, let host = url.hosts.first else { throw URLFault("names several hosts: a Redis URL has one") }
        try ServerURL.check(host: host)
        guard url.options.isEmpty else { throw URLFault("has options, which redis:// does not take", "the database is written /1") }
        let database = url.path.dropFirst()
        guard database.isEmpty || isDatabase(database) else { throw URLFault("has a path that is not the number of a database", "such as /0") }
    }

    private static func checkUnix(_ url: ServerURL) throws(URLFault) {
        guard url.hosts == [""], url.path.count > 1 else { throw URLFault("has no path to a socket", "such as unix:///var/run/redis.sock") }
        for option in url.options {
            guard option.name == "db", isDatabase(option.value[...]) else {
                throw URLFault("has options other than db and a number", "such as ?db=1")
            }
        }
    }

    private static func isDatabase(_ text: Substring) -> Bool { text.allSatisfy { $0.isASCII && $0.isNumber } && Int32(text) != nil }
}
