import BadNetwork
import Events
import Foundation
import Projector
import Testing

extension Fault {
    static let worker = [
        Fault(.worker, "killed") { scene in
            let slot = try await scene.holder()
            scene.isStruck()
            try await scene.replace(slot)
        },
        Fault(.worker, "all-killed") { scene in
            scene.isStruck()
            for slot in 0..<Stage.workers { try scene.worker(slot).send(SIGKILL) }
            for slot in 0..<Stage.workers { try await scene.replace(slot) }
        },
        Fault(.worker, "killed-in-a-row") { scene in
            for _ in 0..<5 {
                // Whoever works at that moment, or waits for the dead one's lease.
                try await scene.replace(scene.below(Stage.workers))
                try await scene.pause(upTo: 800)
            }
        },
        Fault(.worker, "stopped") { scene in
            let slot = try await scene.holder()
            scene.isStruck()
            try await scene.stop(slot)
            try scene.start(slot)
        },
        Fault(.worker, "killed-while-it-stops") { scene in
            let slot = try await scene.holder()
            try scene.worker(slot).send(SIGTERM)
            try await scene.pause(upTo: 60)
            try await scene.replace(slot)
        },
        Fault(.worker, "frozen") { scene in
            let child = try await scene.worker(scene.holder())
            child.send(SIGSTOP)
            try await scene.wait(Scene.lease * 3)
            child.send(SIGCONT)
        },
        Fault(.worker, "frozen-and-killed") { scene in
            let slot = try await scene.holder()
            try scene.worker(slot).send(SIGSTOP)
            try await scene.wait(Scene.lease / 2)
            try await scene.replace(slot)
        },
        Fault(.worker, "killed-at-a-step") { scene in
            let point = Self.steps[scene.round % Self.steps.count]
            try await scene.startAlone("MILLRACE_CRASH_AT", at: point)
            let child = try scene.worker(0)
            try await until("it is killed at \(point.rawValue)") { !child.isRunning }
        },
        Fault(.worker, "frozen-at-a-step") { scene in
            let point = Self.steps[scene.round % Self.steps.count]
            try await scene.startAlone("MILLRACE_FREEZE_AT", at: point)
            let child = try scene.worker(0)
            try await until("it is frozen at \(point.rawValue)") { child.isFrozen || !child.isRunning }
            try scene.start(1)
            try await scene.wait(Scene.lease * 3)
            child.send(SIGCONT)
        },
        Fault(.worker, "out-of-descriptors") { scene in
            let children = try (0..<Stage.workers).map { try scene.worker($0) }
            // Beside the three that are always open, nothing can be opened, and everything has to be.
            for child in children { try await scene.limit(child, "--nofile=3:") }
            // With what is open they go on: many segments are cut by then.
            try await scene.wait(.milliseconds(500))
            for slot in 0..<Stage.workers {
                scene.stage.redisOfWorkers[slot].reset()
                for member in scene.stage.members { member.reset(scene.scope(slot)) }
            }
            try await scene.wait(.seconds(1))
            for child in children { try await scene.limit(child, "--nofile=1024:") }
        },
        Fault(.worker, "out-of-memory") { scene in
            let slot = try await scene.holder()
            let child = try scene.worker(slot)
            // Less than it has: from now on it gets no more.
            try await scene.limit(child, "--data=1048576:")
            let events = await scene.producer.nextEvents(1500).map { $0.padded(to: 8 << 10) }
            try await scene.producer.insert(events)
            try await scene.pause(upTo: 1000)
            if child.isRunning { scene.note("it did without") }
            try await scene.replace(slot)
        },
    ]

    /// The steps of the protocol that a worker passes which drains without end. It passes the others at its end alone, or
    /// where it parks something.
    private static let steps = CrashPoint.ofDrain.filter { ![.leaseReleased, .deadLettersWritten, .completenessNoted].contains($0) }
}

extension Scene {
    /// Leaves one worker, of the build that knows the steps by name.
    fileprivate func startAlone(_ variable: String, at point: CrashPoint) async throws {
        try await stopAll()
        // Some it passes only once, or once in a second.
        let isRare = [.leaseAcquired, .checkpointRead, .receiptWritten].contains(point)
        let step = "\(point.rawValue):\(isRare ? 1 : 1 + below(3))"
        note(step)
        try start(0, .debug, environment: [variable: step])
    }

    /// Sets a limit of a process that runs.
    fileprivate func limit(_ child: Child, _ limit: String) async throws {
        let ended = try await Child("/usr/bin/prlimit", ["--pid", "\(child.pid)", limit], files: place.directory).ended()
        // A worker that another fault has killed has no limits.
        guard ended.cause == .exit(0) || !child.isRunning else { throw Failure("prlimit: \(ended.summary)") }
    }
}

extension [UInt8] {
    /// An event of this size, with a member that nobody reads.
    func padded(to size: Int) -> [UInt8] {
        guard let place = firstRange(of: Array("{\"amount\"".utf8)) else { return self }
        let padding = "\"padding\":\"\(String(repeating: "x", count: Swift.max(0, size - count)))\","
        return Array(self[...place.lowerBound] + Array(padding.utf8) + self[(place.lowerBound + 1)...])
    }
}
