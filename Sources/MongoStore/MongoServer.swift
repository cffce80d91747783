import Events
import Values

/// What must be true of a MongoDB for Millrace's promises to hold.
public enum MongoServer {
    static let oldest = 5

    /// Throws a `Refusal` that says in one line why this server cannot be used.
    public static func inspect(_ connection: MongoConnection) async throws {
        let hello = try await connection.command("admin", ["hello": 1])
        guard hello["setName"]?.asString != nil else {
            throw Refusal(
                .unsafeServer,
                "MongoDB is not a replica set: transactions and majority writes need one (start mongod with --replSet, then rs.initiate())"
            )
        }
        let build = try await connection.command("admin", ["buildInfo": 1])
        let version = build["version"]?.asString ?? "unknown"
        guard let major = version.split(separator: ".").first.flatMap({ Int($0) }), major >= oldest else {
            throw Refusal(.unsafeServer, "MongoDB \(version) is too old: Millrace needs \(oldest).0 or newer")
        }
    }
}
