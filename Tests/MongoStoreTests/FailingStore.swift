import Foundation
import Models
import Projector
import Testing
import Values

@testable import MongoStore

/// A store on servers that fail as they are told to.
struct FailingStore {
    let mongo: TestMongo
    let store: MongoProjectionStore
    let log: MongoLog
    /// Its own, so that a fail point meets these connections alone.
    private let application: String

    static func run(_ body: (FailingStore) async throws -> Void) async throws {
        try await TestMongo.run { mongo in
            let application = "fails-\(UUID().uuidString.prefix(8))"
            try await mongo.outsider.command(mongo.database, MongoLog.createIndexes)
            let failing = FailingStore(
                mongo: mongo, store: try mongo.store(application: application),
                log: MongoLog(connection: try mongo.connection(application: application), database: mongo.database), application: application)
            // Before anything fails, so that the session is on its way.
            _ = try await failing.store.checkpoint()
            do {
                try await body(failing)
            } catch {
                try await failing.set("off")
                throw error
            }
            try await failing.set("off")
        }
    }

    /// What happens to the next `times` calls of a command.
    enum Failure: Sendable, CustomTestStringConvertible {
        case error(Int32)
        case closedConnection
        /// The command takes effect, but is not known to have reached a majority.
        case writeConcern(Int32)

        var testDescription: String {
            switch self {
            case .error(let code): "error \(code)"
            case .closedConnection: "closed connection"
            case .writeConcern(let code): "write concern error \(code)"
            }
        }
    }

    /// Another connection that fails as it is told to.
    func leases() throws -> MongoLeases { MongoLeases(connection: try mongo.connection(application: application), database: mongo.database) }

    func fail(_ command: String, _ failure: Failure, times: Int32) async throws {
        var how: Document = ["failCommands": [.string(command)], "appName": .string(application)]
        switch failure {
        case .error(let code): how["errorCode"] = .int32(code)
        case .closedConnection: how["closeConnection"] = true
        case .writeConcern(let code): how["writeConcernError"] = ["code": .int32(code), "errmsg": "a fail point of a test"]
        }
        try await set(["times": .int32(times)], how)
    }

    private func set(_ mode: Value, _ how: Document = Document()) async throws {
        try await mongo.outsider.command("admin", ["configureFailPoint": "failCommand", "mode": mode, "data": .document(how)])
    }

    /// The next commit: moves the checkpoint by one, and writes one document, one change and a dead letter.
    func next(_ from: Checkpoint) -> Commit {
        let change: DocumentWrite = from.offset == 0 ? Commits.insert("changed") : .update(key: "changed", set: ["stock": .int64(from.offset)], unset: [])
        return Commits.commit(from, [Commits.insert("new-\(from.offset)"), change], [Commits.letter(from.offset)])
    }

    /// How many of these commits are in what is stored, which must be the same by every part of them.
    func applied() async throws -> Int64 {
        let store = try mongo.store()
        let offset = try await store.checkpoint().offset
        let new = try await mongo.documents(Commits.build.description, ["_id": ["$ne": "changed"]])
        #expect(Set(new.compactMap { $0["_id"]?.asString }) == Set((0..<offset).map { "new-\($0)" }))
        let changed = try await mongo.documents(Commits.build.description, ["_id": "changed"])
        #expect(changed.map { $0["stock"]?.asInteger } == (offset == 0 ? [] : [max(1, offset - 1)]))
        #expect(try await mongo.documents("millrace.dead_letters").count == Int(offset))
        return offset
    }
}
