import Events

/// Where a Redis server is, and how to log in:
///
/// - `redis://[user[:password]@]host[:port][/database]`, port 6379 and database 0 unless said
/// - `unix://[user[:password]@]/path/of/socket[?db=database]`
///
/// Characters with a meaning of their own are percent-encoded in user, password and path.
public struct RedisURL: Hashable, Sendable, CustomStringConvertible {
    package enum Server: Hashable, Sendable {
        case tcp(host: String, port: UInt16)
        case unix(path: String)
    }

    package let server: Server
    package let user: String?
    package let password: String?
    package let database: Int

    /// - Throws: a `Refusal` (`bad-configuration`) that says what is wrong and repeats nothing of what could be a
    ///   password.
    public init(_ text: String) throws(Refusal) {
        guard let scheme = text.firstRange(of: "://") else {
            throw Self.refusal("it must begin with redis:// or unix://")
        }
        guard !text.utf8.contains(where: { $0 <= 32 || $0 == 127 || $0 == UInt8(ascii: "#") }) else {
            throw Self.refusal("it holds a space, a control character or a #; in a password write them as %20, %23 and so on")
        }
        let rest = text[scheme.upperBound...]
        let query = rest.firstIndex(of: "?")
        let place = rest[..<(query ?? rest.endIndex)]
        let option = query.map { rest[rest.index(after: $0)...] }
        let slash = place.firstIndex(of: "/") ?? place.endIndex
        guard !place[slash...].contains("@") else {
            throw Self.refusal("a / comes before the @; in a password write / as %2F")
        }
        let (login, host) = try Self.split(place[..<slash])

        switch text[..<scheme.lowerBound].lowercased() {
        case "redis":
            guard option == nil else {
                throw Self.refusal("it takes no ?options: the database is written redis://host:port/1, a ? in a password %3F")
            }
            server = try Self.tcp(host)
            database = try Self.database(place[slash...].dropFirst())
        case "unix":
            guard host.isEmpty, place.endIndex > slash else {
                throw Self.refusal("a socket's path is absolute, with three slashes: unix:///run/redis/redis.sock")
            }
            let path = try Self.decoded(place[slash...])
            // The size of sockaddr_un.sun_path, with the NUL at its end.
            guard path.utf8.count < 108 else { throw Self.refusal("a socket's path has at most 107 bytes") }
            server = .unix(path: path)
            guard option?.hasPrefix("db=") ?? true else { throw Self.refusal("the only option of a unix:// URL is ?db=") }
            database = try Self.database(option?.dropFirst(3) ?? "")
        case "rediss":
            throw Self.refusal(
                "rediss:// (TLS) is not supported. Let a tunnel on this machine do it, and connect to redis://127.0.0.1:6380: "
                    + "stunnel with client = yes, accept = 127.0.0.1:6380, connect = HOST:PORT and checkHost = HOST, or spiped"
            )
        default:
            throw Self.refusal("the scheme is not known: it must begin with redis:// or unix://")
        }
        (user, password) = try Self.credentials(login)
    }

    /// The URL with `***` for the password.
    public var description: String {
        let login = password == nil ? "" : "\(Self.encoded(user ?? "")):***@"
        return switch server {
        case .tcp(let host, let port):
            "redis://\(login)\(host.contains(":") ? "[\(host)]" : host):\(port)\(database == 0 ? "" : "/\(database)")"
        case .unix(let path):
            "unix://\(login)\(Self.encoded(path))\(database == 0 ? "" : "?db=\(database)")"
        }
    }
}
