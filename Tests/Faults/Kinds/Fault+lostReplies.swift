import BadNetwork
import Foundation

/// A request arrives and takes effect, and its reply is lost with the connection, whole or from the middle: for the
/// first to fifth request of its kind, by the number of the round.
extension Fault {
    private static let mongoCommands = ["find", "insert", "update", "delete", "commitTransaction"]

    static let lostReplies =
        mongoCommands.map { command in
            Fault(.network, "mongodb-\(command == "commitTransaction" ? "commit" : command)-reply-lost") { scene in
                try await scene.expectOnPrimary([.loseReply], of: command)
            }
        } + [
            Fault(.network, "mongodb-replies-lost-in-a-row") { scene in
                // libmongoc repeats a retryable write once by itself, Millrace a commit until it knows.
                try await scene.expectOnPrimary(Array(repeating: .loseReply, count: 4), of: "commitTransaction", "insert", "update")
            },
            Fault(.network, "mongodb-reply-cut") { scene in
                try await scene.expectOnPrimary([.cutReply(after: scene.below(60))], of: "find", "commitTransaction", "insert")
            },
            Fault(.network, "mongodb-request-lost") { scene in
                try await scene.expectOnPrimary([.drop], of: "commitTransaction", "insert", "update")
            },
            Fault(.network, "mongodb-commit-late") { scene in
                // The worker goes on, or another one: the commit arrives when nobody reckons with it.
                let proxy = try await scene.stage.proxy(of: scene.stage.primary())
                try await scene.expectOnPrimary([.hold], of: "commitTransaction")
                try await scene.pause(upTo: 2000)
                await OwnThread.run { proxy.deliver() }
            },
            Fault(.network, "mongodb-commit-late-and-its-worker-dead") { scene in
                let proxy = try await scene.stage.proxy(of: scene.stage.primary())
                let slot = try await scene.holder()
                try await scene.expectOnPrimary([.hold], of: "commitTransaction")
                try await scene.replace(slot)
                try await scene.pause(upTo: 4000)
                await OwnThread.run { proxy.deliver() }
            },
            Fault(.network, "redis-script-reply-lost") { scene in try await scene.expectOnRedis([.loseReply], of: "EVALSHA") },
            Fault(.network, "redis-script-lost") { scene in try await scene.expectOnRedis([.drop], of: "EVALSHA") },
            Fault(.network, "redis-script-late") { scene in
                // A cut or a release that arrives when the list is somewhere else.
                let proxy = try await scene.stage.redisOfWorkers[scene.holder()]
                try await scene.expectOnRedis([.hold], of: "EVALSHA")
                try await scene.pause(upTo: 3000)
                await OwnThread.run { proxy.deliver() }
            },
            Fault(.network, "redis-read-cut") { scene in try await scene.expectOnRedis([.cutReply(after: scene.below(20_000))], of: "LRANGE") },
            Fault(.network, "producer-reply-lost") { scene in
                let proxy = scene.stage.redisOfProducers
                let before = proxy.seen
                proxy.expect([.loseReply, .pass, .loseReply], of: "RPUSH")
                try await scene.met(proxy, before + 3)
            },
        ]
}

extension Scene {
    private static let mostRequests = 5

    /// Lets up to four requests of the holder pass before the others meet their fates, and waits until they have.
    fileprivate func expectOnPrimary(_ fates: [Fate], of commands: String...) async throws {
        let proxy = try await stage.proxy(of: stage.primary())
        try await expect(fates, on: proxy, of: commands, from: scope(try await holder()))
    }

    fileprivate func expectOnRedis(_ fates: [Fate], of commands: String...) async throws {
        try await expect(fates, on: stage.redisOfWorkers[holder()], of: commands, from: .everybody)
    }

    private func expect(_ fates: [Fate], on proxy: Proxy, of commands: [String], from scope: Scope) async throws {
        let call = 1 + round % Self.mostRequests
        note("request \(call)")
        let before = proxy.seen
        proxy.expect(Array(repeating: .pass, count: call - 1) + fates, of: commands, from: scope)
        try await met(proxy, before + call - 1 + fates.count)
    }
}
