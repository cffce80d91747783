import Events
import MongoStore
import Values

/// The three members of a sandbox's replica set.
struct ReplicaSet {
    static let name = "rs0"
    /// For each question to one member.
    private static let selection = Duration.seconds(1)
    private static let patience = Duration.seconds(60)

    private let ports: [Int]
    private let members: [MongoConnection]

    init(ports: [Int]) throws {
        self.ports = ports
        members = try ports.map { port in
            let url = "mongodb://127.0.0.1:\(port)/?directConnection=true"
            return try MongoConnection(pool: MongoPool(url: url, connections: 1, selection: Self.selection), name: "sandbox")
        }
    }

    static func url(ports: [Int]) -> String {
        "mongodb://\(ports.map { "127.0.0.1:\($0)" }.joined(separator: ","))/?replicaSet=\(name)"
    }

    /// Whether a member answers.
    func answers(_ index: Int) async -> Bool {
        await (try? members[index].command("admin", ["ping": 1])) != nil
    }

    /// Makes the members a set, unless they are.
    func initiate(_ options: Sandbox.Options) async throws {
        let hosts = (options.announcedPorts ?? ports).enumerated().map { index, port -> Value in
            ["_id": Value(integer: Int64(index)), "host": .string("127.0.0.1:\(port)")]
        }
        let settings: Value = ["electionTimeoutMillis": Value(integer: Int64(options.electionTimeoutMilliseconds))]
        let configuration: Value = ["_id": .string(Self.name), "members": .array(hosts), "settings": settings]
        do {
            try await members[0].command("admin", ["replSetInitiate": configuration])
        } catch let error as MongoError where error.serverCode == 23 {
            // AlreadyInitialized, by an earlier call that was interrupted.
        }
    }

    /// Until there is a primary and the others follow it.
    func waitUntilComplete() async throws {
        var asked = 0
        try await poll(for: Self.patience, "the replica set has no primary with two secondaries") {
            let states = await states()
            if states.sorted() == ["PRIMARY", "SECONDARY", "SECONDARY"] { return true }
            // Members wait for the election timeout before they elect a first primary. Asking one to stand for election
            // saves that; it fails until the others are ready to vote, and where another has newer data.
            if !states.contains("PRIMARY"), states.contains("SECONDARY") {
                _ = try? await members[asked % members.count].command("admin", ["replSetStepUp": 1])
                asked += 1
            }
            return nil
        }
    }

    /// The index of the primary, if there is one.
    func primary() async -> Int? { await states().firstIndex(of: "PRIMARY") }

    /// Each member's state in its own words, empty where it does not answer.
    private func states() async -> [String] {
        var found: [String] = []
        for member in members {
            let reply = try? await member.command("admin", ["replSetGetStatus": 1])
            let own = reply?["members"]?.asArray?.first { $0.asDocument?["self"]?.asBool == true }
            found.append(own?.asDocument?["stateStr"]?.asString ?? "")
        }
        return found
    }
}
