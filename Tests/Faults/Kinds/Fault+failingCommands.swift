import BadNetwork
import Foundation
import Testing

/// The commands that workers send to MongoDB, each failing in its ways, at its first to fifth call.
extension Fault {
    /// What elections, networks, shutdowns and limits answer.
    fileprivate static let codes: [Int32] = [
        91,  // ShutdownInProgress
        189,  // PrimarySteppedDown
        262,  // ExceededTimeLimit
        10107,  // NotWritablePrimary
        11600,  // InterruptedAtShutdown
        11602,  // InterruptedDueToReplStateChange
        13435,  // NotPrimaryNoSecondaryOk
        6,  // HostUnreachable
        7,  // HostNotFound
        89,  // NetworkTimeout
        9001,  // SocketException
        50,  // MaxTimeMSExpired
        134,  // ReadConcernMajorityNotAvailableYet
        112,  // WriteConflict
    ]
    fileprivate static let concerns: [Int32] = [
        64,  // WriteConcernFailed
        100,  // UnsatisfiableWriteConcern
        91,
    ]

    fileprivate enum Way: String {
        case closed
        case refused
        /// It takes effect, but is not known to have reached a majority.
        case unconfirmed
    }

    /// When a worker sends it.
    fileprivate enum Occasion {
        /// All the time.
        case flow
        /// When it connects.
        case connection
        /// When it takes over from a dead one.
        case takeover
        /// When it starts.
        case start
        /// When a transaction has failed.
        case failure
        /// When the log is ahead of a checkpoint by several chunks.
        case backlog
    }

    fileprivate struct Use {
        var command: String
        var occasion: Occasion
        var ways: [Way]
    }

    private static let uses = [
        Use(command: "find", occasion: .flow, ways: [.closed, .refused]),
        Use(command: "insert", occasion: .flow, ways: [.closed, .refused, .unconfirmed]),
        Use(command: "update", occasion: .flow, ways: [.closed, .refused, .unconfirmed]),
        Use(command: "delete", occasion: .flow, ways: [.closed, .refused]),
        Use(command: "commitTransaction", occasion: .flow, ways: [.closed, .refused, .unconfirmed]),
        Use(command: "abortTransaction", occasion: .failure, ways: [.closed, .refused]),
        Use(command: "hello", occasion: .connection, ways: [.closed, .refused]),
        Use(command: "findAndModify", occasion: .takeover, ways: [.closed, .refused, .unconfirmed]),
        Use(command: "killSessions", occasion: .takeover, ways: [.closed, .refused]),
        Use(command: "createIndexes", occasion: .start, ways: [.closed, .refused, .unconfirmed]),
        Use(command: "getMore", occasion: .backlog, ways: [.closed, .refused]),
    ]

    static let failingCommands = uses.flatMap { use in
        use.ways.map { way in
            Fault(.mongodb, "\(kebab(use.command))-\(way.rawValue)") { scene in try await scene.fail(use, way) }
        }
    }

    private static func kebab(_ command: String) -> String {
        String(command.flatMap { $0.isUppercase ? "-\($0.lowercased())" : String($0) })
    }
}

extension Scene {
    private static let mostCalls = 5
    /// Chunks that are logged and not applied, more than a find returns at once.
    private static let backlog = 12

    /// Fails the first to fifth call, by the number of the round: of what is sent all the time exactly that one, of
    /// what is sent once so many in a row.
    fileprivate func fail(_ use: Fault.Use, _ way: Fault.Way) async throws {
        let calls = 1 + round % Self.mostCalls
        let failure: FailPoint.Failure =
            switch way {
            case .closed: .closedConnection
            case .refused: .error(Fault.codes[round % Fault.codes.count])
            case .unconfirmed: .writeConcern(Fault.concerns[round % Fault.concerns.count])
            }
        note("\(failure), call \(calls)")
        let slot = try await holder()
        switch use.occasion {
        case .flow:
            let primary = try await stage.primary()
            let proxy = try stage.proxy(of: primary)
            let before = proxy.seen
            proxy.expect(Array(repeating: .pass, count: calls - 1) + [.wait], of: use.command, from: scope(slot))
            try await met(proxy, before + calls)
            try await fail([use.command], failure, times: 1, of: slot) { proxy.clear() }
        case .connection:
            try await fail([use.command, "isMaster", "ismaster"], failure, times: calls, of: slot) {
                for member in stage.members { member.reset(scope(slot)) }
            }
        case .failure:
            // An abort is sent where a command of the transaction fails.
            try await fail(["delete", use.command], failure, times: 2, of: slot)
        case .takeover:
            try await fail([use.command], failure, times: calls, of: other(than: slot)) { try await kill(slot) }
            try start(slot)
        case .start:
            try await kill(slot)
            try await fail([use.command], failure, times: calls, of: slot) { try start(slot) }
            // A start that fails is over, and says that trying again may help; whoever supervises the service does.
            try await until("a worker has begun") {
                let child = try worker(slot)
                if child.isRunning { return child.log.contains("draining") }
                let ended = try await child.ended()
                #expect(ended.cause == .exit(69), "\(ended.summary)")
                try start(slot)
                return false
            }
        case .backlog:
            try await stopAll()
            try await producer.pause()
            try await producer.insert(producer.nextEvents(3000))
            try start(0, .debug, environment: ["MILLRACE_CRASH_AT": "chunk-appended:\(Self.backlog)"])
            _ = try await worker(0).ended()
            try await fail([use.command], failure, times: calls, of: 1) { try start(1) }
            await producer.resume()
            try start(0)
        }
    }

    /// Has the primary fail the next calls of a worker, and waits until it has.
    private func fail(
        _ commands: [String], _ failure: FailPoint.Failure, times: Int, of slot: Int, _ provoke: () async throws -> Void = {}
    ) async throws {
        let admin = try await stage.admin(stage.primary())
        let before = try await FailPoint.failCommand.timesEntered(admin)
        try await FailPoint.fail(commands, of: application(slot), failure, times: times, on: admin)
        try await provoke()
        do {
            try await until(within: .seconds(10), "the fail point was met") { try await FailPoint.failCommand.timesEntered(admin) > before }
        } catch  where !isAlone {
            // Another fault may have moved the work elsewhere.
        }
    }
}
