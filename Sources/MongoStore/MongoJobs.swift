import Events
import Projector
import Schedules
import Values

/// The states of jobs: `{_id: job, format, handled, paused, running: {run, owner, started, attempt}, last: {run, ended, verdict, good},
/// retry: {at, attempt}, skipped: {overlap, missed}}`.
public struct MongoJobs: JobStore {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    public func states(of jobs: [String]) async throws -> (states: [String: JobState], now: Int64) { try await connection.states(database, of: jobs) }

    /// The states that are known. Writes nothing.
    public func known() async throws -> [String: JobState] { try await connection.jobStates(database) }

    public func begin(_ running: JobState.Running, of job: String, from state: JobState) async throws -> Bool {
        var filter = Self.filter(job, state)
        filter.append("running", .null)
        if running.attempt > 0 { filter.append("paused", ["$ne": true]) }
        var change: Document = ["running": Self.encode(running)]
        if running.attempt > 0 { change.append("retry", .null) }
        // A run that is tried again deals with nothing that has come due meanwhile.
        if running.attempt == 1 { change.append("handled", .date(running.started)) }
        return try await connection.change(database, filter, ["$set": .document(change)])
    }

    public func end(_ running: JobState.Running, of job: String, as state: JobState) async throws -> Bool {
        let change: Document = [
            "handled": .date(state.handled), "running": .null, "last": state.last.map(Self.encode) ?? .null,
            "retry": state.retry.map { ["at": .date($0.at), "attempt": .int32(Int32($0.attempt))] } ?? .null,
            "skipped": ["overlap": .int64(state.skipped.overlap), "missed": .int64(state.skipped.missed)],
        ]
        return try await connection.change(database, ["_id": .string(job), "running.run": .string(running.run)], ["$set": .document(change)])
    }

    public func skip(_ job: String, from state: JobState, now: Int64) async throws -> Bool {
        try await connection.change(database, Self.filter(job, state), ["$set": ["handled": .date(now)], "$inc": ["skipped.missed": 1]])
    }

    public func pause(_ job: String, _ isPaused: Bool) async throws { try await connection.pause(database, job, isPaused) }

    public func clock() async throws -> Int64 { try await connection.clock() }

    /// Whoever has changed the job meanwhile has dealt with what was due.
    private static func filter(_ job: String, _ state: JobState) -> Document {
        ["_id": .string(job), "handled": .date(state.handled), "last.run": state.last.map { .string($0.run) } ?? .null]
    }

    private static func encode(_ running: JobState.Running) -> Value {
        [
            "run": .string(running.run), "owner": .string(running.owner), "started": .date(running.started), "attempt": .int32(Int32(running.attempt)),
        ]
    }

    private static func encode(_ last: JobState.Last) -> Value {
        ["run": .string(last.run), "ended": .date(last.ended), "verdict": .string(last.verdict), "good": .bool(last.isGood)]
    }

    fileprivate static func decode(_ document: Document) throws -> JobState {
        try StoredFormat.check(document, "the job \(document["_id"]?.asString ?? "")")
        var state = JobState(handled: document["handled"]?.asDate ?? 0)
        state.isPaused = document["paused"]?.asBool ?? false
        if let running = document["running"]?.asDocument {
            state.running = .init(
                run: running["run"]?.asString ?? "", owner: running["owner"]?.asString ?? "", started: running["started"]?.asDate ?? 0,
                attempt: Int(running["attempt"]?.asInteger ?? 0))
        }
        if let last = document["last"]?.asDocument {
            state.last = .init(
                run: last["run"]?.asString ?? "", ended: last["ended"]?.asDate ?? 0, verdict: last["verdict"]?.asString ?? "",
                isGood: last["good"]?.asBool ?? false)
        }
        if let retry = document["retry"]?.asDocument { state.retry = .init(at: retry["at"]?.asDate ?? 0, attempt: Int(retry["attempt"]?.asInteger ?? 1)) }
        if let skipped = document["skipped"]?.asDocument {
            state.skipped = .init(overlap: skipped["overlap"]?.asInteger ?? 0, missed: skipped["missed"]?.asInteger ?? 0)
        }
        return state
    }
}

extension MongoConnection {
    fileprivate func jobStates(_ database: String) throws -> [String: JobState] {
        var states: [String: JobState] = [:]
        for document in try documents(database, Collections.jobs, Document(), "read the jobs") {
            states[document["_id"]?.asString ?? ""] = try MongoJobs.decode(document)
        }
        return states
    }

    fileprivate func states(_ database: String, of jobs: [String]) throws -> ([String: JobState], Int64) {
        var states = try jobStates(database)
        let now = try clock()
        for job in jobs where states[job] == nil {
            try insertUnlessThere(database, Collections.jobs, id: .string(job), ["format": .int32(StoredFormat.current), "handled": .date(now)])
            // Somebody else may have been first.
            states[job] = try document(database, Collections.jobs, ["_id": .string(job)], "read a job").map(MongoJobs.decode) ?? JobState(handled: now)
        }
        return (states, now)
    }

    fileprivate func change(_ database: String, _ filter: Document, _ change: Document) throws -> Bool {
        let command: Document = ["update": .string(Collections.jobs), "updates": [["q": .document(filter), "u": .document(change)]]]
        let reply = try run(database, BSON.encode(command), .write, "change a job")
        try Self.check(reply, "change a job")
        return reply["n"]?.asInteger == 1
    }

    fileprivate func pause(_ database: String, _ job: String, _ isPaused: Bool) throws {
        // What was due during a pause is not made up for.
        let change: Document = [
            "format": .int32(StoredFormat.current), "paused": .bool(isPaused),
            "handled": ["$cond": [["$eq": ["$paused", .bool(isPaused)]], ["$ifNull": ["$handled", "$$NOW"]], "$$NOW"]],
        ]
        let command: Document = [
            "update": .string(Collections.jobs),
            "updates": [["q": ["_id": .string(job)], "u": [["$set": .document(change)]], "upsert": true]],
        ]
        try Self.check(try run(database, BSON.encode(command), .write, "pause a job"), "pause a job")
    }
}
