import Values

/// MongoDB's own places for faults, which its test commands switch on and off.
enum FailPoint: String, CaseIterable, Sendable {
    /// Fails commands of one client.
    case failCommand
    /// A secondary writes down nothing more.
    case stopReplProducer
    /// A secondary applies nothing more.
    case rsSyncApplyStop

    /// What `failCommand` does to a command.
    enum Failure: Sendable {
        case error(Int32)
        case closedConnection
        /// The command takes effect, but is not known to have reached a majority.
        case writeConcern(Int32)
    }

    func set(_ admin: MongoProbe, mode: Value = "alwaysOn", _ settings: Document = [:]) async throws {
        try await admin.command(["configureFailPoint": .string(rawValue), "mode": mode, "data": .document(settings)], in: "admin")
    }

    func clear(_ admin: MongoProbe) async throws { try await set(admin, mode: "off") }

    /// How often it was met since the server's start.
    func timesEntered(_ admin: MongoProbe) async throws -> Int {
        let name = "failpoint.\(rawValue)"
        let reply = try await admin.command(Document([Document.Field("getParameter", 1), Document.Field(name, 1)]), in: "admin")
        return Int(reply[name]?.asDocument?["timesEntered"]?.asInteger ?? 0)
    }

    /// Fails the next calls of commands by one client.
    static func fail(_ commands: [String], of application: String, _ failure: Failure, times: Int, on admin: MongoProbe) async throws {
        var settings: Document = ["failCommands": .array(commands.map(Value.string)), "appName": .string(application)]
        switch failure {
        case .error(let code): settings["errorCode"] = .int32(code)
        case .closedConnection: settings["closeConnection"] = true
        case .writeConcern(let code): settings["writeConcernError"] = ["code": .int32(code), "errmsg": "a fail point of a test"]
        }
        try await failCommand.set(admin, mode: ["times": .int32(Int32(times))], settings)
    }
}
