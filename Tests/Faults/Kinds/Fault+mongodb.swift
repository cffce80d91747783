import BadNetwork
import Foundation
import Sandbox
import Testing
import Values

extension Fault {
    /// The members and what they do for everybody.
    static let mongodb = [
        Fault(.mongodb, "primary-killed") { scene in
            let primary = try await scene.stage.primary()
            try await scene.stage.sandbox.kill(primary)
            scene.isStruck()
            _ = try await scene.stage.primary()
            try await scene.stage.sandbox.restart(primary)
        },
        Fault(.mongodb, "primary-killed-and-back-at-once") { scene in
            let primary = try await scene.stage.primary()
            try await scene.stage.sandbox.kill(primary)
            scene.isStruck()
            try await scene.stage.sandbox.restart(primary)
        },
        Fault(.mongodb, "primary-stepped-down") { scene in try await scene.stepDown() },
        Fault(.mongodb, "primary-stepped-down-in-a-row") { scene in
            for _ in 0..<3 {
                try await scene.stepDown()
                try await scene.pause(upTo: 1000)
            }
        },
        Fault(.mongodb, "primary-frozen") { scene in try await scene.freeze([scene.stage.primary()], for: .seconds(3)) },
        Fault(.mongodb, "secondary-frozen") { scene in try await scene.freeze([scene.pick(scene.stage.secondaries())], for: .seconds(3)) },
        Fault(.mongodb, "secondaries-frozen") { scene in try await scene.freeze(scene.stage.secondaries(), for: .seconds(3)) },
        Fault(.mongodb, "secondary-killed") { scene in
            let secondary = try await scene.pick(scene.stage.secondaries())
            try await scene.stage.sandbox.kill(secondary)
            try await scene.pause(upTo: 1000)
            try await scene.stage.sandbox.restart(secondary)
        },
        Fault(.mongodb, "majority-gone", combinable: false) { scene in
            let secondaries = try await scene.stage.secondaries()
            for secondary in secondaries { try await scene.stage.sandbox.kill(secondary) }
            // What was acknowledged by a majority before may still be released; from then on nothing leaves Redis.
            try await scene.wait(.seconds(2))
            let before = try await scene.inRedis()
            let status = try await scene.place.run(.release, ["status"])
            #expect(status.cause == .exit(69) && status.errors.contains("MongoDB"), "status says \(status.cause): \(status.errors)")
            // Who waits for a commit's outcome says nothing until then; the runner itself does.
            try await scene.expectLog("MongoDB does not answer", "server-unreachable: MongoDB")
            #expect(try await scene.inRedis() >= before, "events left Redis without a majority of members")
            for secondary in secondaries { try await scene.stage.sandbox.restart(secondary) }
        },
        Fault(.mongodb, "all-killed") { scene in
            for member in Sandbox.Server.members { try await scene.stage.sandbox.kill(member) }
            for member in Sandbox.Server.members { try await scene.stage.sandbox.restart(member) }
        },
        Fault(.mongodb, "secondaries-write-nothing") { scene in
            let secondaries = try await scene.stage.secondaries().map(scene.stage.admin)
            for secondary in secondaries { try await FailPoint.stopReplProducer.set(secondary) }
            try await scene.wait(.seconds(2))
            for secondary in secondaries { try await FailPoint.stopReplProducer.clear(secondary) }
        },
        Fault(.mongodb, "secondaries-apply-nothing") { scene in
            let secondaries = try await scene.stage.secondaries().map(scene.stage.admin)
            for secondary in secondaries { try await FailPoint.rsSyncApplyStop.set(secondary) }
            try await scene.wait(.seconds(2))
            for secondary in secondaries { try await FailPoint.rsSyncApplyStop.clear(secondary) }
        },
        Fault(.mongodb, "sessions-killed-in-a-loop") { scene in
            try await scene.onPrimary(for: .seconds(2), every: 100) { try await $0.command(["killAllSessions": []]) }
        },
        Fault(.mongodb, "operations-killed-in-a-loop") { scene in
            try await scene.onPrimary(for: .seconds(2), every: 50) { admin in
                let reply = try await admin.command(["currentOp": 1, "appName": ["$regex": "^worker"]])
                for operation in reply["inprog"]?.asArray?.compactMap(\.asDocument) ?? [] {
                    if let id = operation["opid"] { try await admin.command(["killOp": 1, "op": id]) }
                }
            }
        },
        Fault(.mongodb, "primary-killed-before-a-commit") { scene in
            try await scene.killPrimary(with: [.wait], deliver: false)
        },
        Fault(.mongodb, "primary-killed-after-a-commit") { scene in
            try await scene.killPrimary(with: [.loseReply], deliver: false)
        },
        Fault(.mongodb, "primary-killed-during-a-commit") { scene in
            try await scene.killPrimary(with: [.wait], deliver: true)
        },
        Fault(.mongodb, "index-dropped") { scene in
            // A worker that starts makes it again.
            try await scene.place.mongo.command(["dropIndexes": "millrace.log", "index": "segment"])
            try await scene.pause(upTo: 500)
            try await scene.replace(scene.holder())
        },
        Fault(.mongodb, "transaction-left-open") { scene in
            // A frozen worker's open transaction is in the way of the checkpoint, until its successor ends it.
            try await scene.stage.proxy(of: scene.stage.primary()).expect([.wait], of: "commitTransaction", from: scene.scope(scene.holder()))
            let slot = try await scene.holder()
            try await scene.wait(.milliseconds(500))
            try scene.worker(slot).send(SIGSTOP)
            try await scene.wait(Scene.lease * 3)
            for member in scene.stage.members { member.clear() }
            try scene.worker(slot).send(SIGCONT)
        },
    ]
}

extension Scene {
    /// Makes the primary give up its role.
    fileprivate func stepDown() async throws {
        let admin = try await stage.admin(stage.primary())
        // Refused while no secondary has caught up, which is soon over.
        try await until("the primary steps down") {
            (try? await admin.command(["replSetStepDown": 5, "secondaryCatchUpPeriodSecs": 2], in: "admin")) != nil
        }
        isStruck()
    }

    fileprivate func freeze(_ members: [Sandbox.Server], for duration: Duration) async throws {
        let pids = try members.compactMap { try stage.sandbox.pid(of: $0) }
        for pid in pids { Foundation.kill(pid, SIGSTOP) }
        try await wait(duration)
        for pid in pids { Foundation.kill(pid, SIGCONT) }
    }

    fileprivate func onPrimary(for duration: Duration, every milliseconds: Int, _ body: (MongoProbe) async throws -> Void) async throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            if let admin = try? await stage.admin(stage.primary()) { _ = try? await body(admin) }
            try await Task.sleep(for: .milliseconds(milliseconds))
        }
    }

    /// Kills the primary when a commit of the worker is on its way to it, or on its way back.
    ///
    /// - Parameter deliver: whether the commit arrives in the same moment.
    fileprivate func killPrimary(with fates: [Fate], deliver: Bool) async throws {
        let primary = try await stage.primary()
        let proxy = try stage.proxy(of: primary)
        let before = proxy.seen
        proxy.expect(Array(repeating: .pass, count: round % 5) + fates, of: "commitTransaction", from: scope(try await holder()))
        try await met(proxy, before + round % 5 + 1)
        async let arrived: Void = deliver ? OwnThread.run { proxy.deliver() } : ()
        try await stage.sandbox.kill(primary)
        isStruck()
        await arrived
        proxy.clear()
        _ = try await stage.primary()
        try await stage.sandbox.restart(primary)
    }

    /// Until a rule has met so many requests; not for ever, since another fault may have moved the work elsewhere.
    func met(_ proxy: Proxy, _ count: Int) async throws {
        _ = try? await until(within: .seconds(5), every: .milliseconds(2), "a rule has met its request") { proxy.seen >= count }
    }
}

/// Blocking calls of a test, on a thread of their own.
enum OwnThread {
    static func run(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                body()
                continuation.resume()
            }
        }
    }
}
