import Foundation
import Sandbox
import Testing

extension Fault {
    /// The server itself.
    static let redis = [
        Fault(.redis, "killed") { scene in
            try await scene.stage.sandbox.kill(.redis)
            try await scene.stage.sandbox.restart(.redis)
        },
        Fault(.redis, "down-for-three-seconds") { scene in
            try await scene.stage.sandbox.kill(.redis)
            try await scene.wait(.seconds(3))
            try await scene.stage.sandbox.restart(.redis)
        },
        Fault(.redis, "frozen") { scene in
            guard let pid = try scene.stage.sandbox.pid(of: .redis) else { return }
            kill(pid, SIGSTOP)
            try await scene.wait(.seconds(3))
            kill(pid, SIGCONT)
        },
        Fault(.redis, "clients-killed-in-a-loop") { scene in
            try await scene.repeatedly(for: .seconds(2), every: 10) { try await $0.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") }
        },
        Fault(.redis, "scripts-flushed-in-a-loop") { scene in
            try await scene.repeatedly(for: .seconds(2), every: 5) { try await $0.call("SCRIPT", "FLUSH", "SYNC") }
        },
        Fault(.redis, "paused") { scene in
            try await scene.stage.redis.call("CLIENT", "PAUSE", "3000", "ALL")
            try await scene.wait(.seconds(3))
        },
        Fault(.redis, "writes-paused") { scene in
            try await scene.stage.redis.call("CLIENT", "PAUSE", "2000", "WRITE")
            try await scene.wait(.seconds(2))
        },
        Fault(.redis, "full") { scene in
            // Workers stand still until there is something to drain and nothing can be written.
            for slot in 0..<Stage.workers { try scene.worker(slot).send(SIGSTOP) }
            try await scene.wait(.milliseconds(500))
            try await scene.stage.redis.call("CONFIG", "SET", "maxmemory", "1")
            #expect(try await scene.inRedis() > 0)
            for slot in 0..<Stage.workers { try scene.worker(slot).send(SIGCONT) }
            try await until("a full Redis is emptied") { try await scene.inRedis() == 0 }
            await #expect(throws: (any Error).self) { try await scene.stage.redis.call("SET", "millrace-faults", "1") }
            try await scene.stage.redis.call("CONFIG", "SET", "maxmemory", "2gb")
        },
        Fault(.redis, "cannot-save") { scene in
            // Where the file should be, a folder is in the way.
            let obstacle = scene.stage.sandbox.files(of: .redis) + "/dump.rdb"
            try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: obstacle) }
            try await scene.stage.redis.call("CONFIG", "SET", "save", "3600 100000000")
            _ = try? await scene.stage.redis.call("BGSAVE")
            try await until("Redis cannot save") { try await scene.stage.redis.call("INFO", "persistence").contains("rdb_last_bgsave_status:err") }
            try await scene.wait(.seconds(1))
            try await scene.stage.redis.call("CONFIG", "SET", "save", "")
        },
        Fault(.redis, "read-only") { scene in
            try await scene.stage.redis.call("REPLICAOF", "127.0.0.1", "1")
            try await scene.wait(.milliseconds(1500))
            try await scene.stage.redis.call("REPLICAOF", "NO", "ONE")
        },
        Fault(.redis, "without-its-primary") { scene in
            try await scene.set("replica-serve-stale-data", "no", back: "yes") {
                try await scene.stage.redis.call("REPLICAOF", "127.0.0.1", "1")
                try await scene.wait(.milliseconds(1500))
                try await scene.stage.redis.call("REPLICAOF", "NO", "ONE")
            }
        },
        Fault(.redis, "without-its-replicas") { scene in
            try await scene.set("min-replicas-to-write", "1", back: "0") { try await scene.wait(.milliseconds(1500)) }
        },
        Fault(.redis, "password-set", combinable: false) { scene in
            try await scene.set("requirepass", Stage.password, back: "") {
                try await scene.stage.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                try await scene.expectLog("a password is needed", "NOAUTH", "the partition stands still until somebody acts", "password")
            }
        },
        Fault(.redis, "right-taken-away", combinable: false) { scene in
            try await scene.stage.redis.call("ACL", "SETUSER", "default", "-evalsha")
            try await scene.expectLog("it lacks a right", "NOPERM", "the partition stands still until somebody acts", "ACL SETUSER")
            try await scene.stage.redis.call("ACL", "SETUSER", "default", "+@all")
        },
        Fault(.redis, "busy") { scene in
            try await scene.set("busy-reply-threshold", "50", back: "5000") {
                // The script's own caller waits for it.
                let caller = try RedisProbe(url: scene.place.servers.redis)
                async let endless = caller.call("EVAL", "while true do end", "0")
                try await scene.wait(.seconds(2))
                try await until("the script is killed") { (try? await scene.stage.redis.call("SCRIPT", "KILL")) == "OK" }
                _ = try? await endless
            }
        },
        Fault(.redis, "loading") { scene in
            // It answers now and then while it loads, and every key takes it a while.
            let ballast = (0..<2000).flatMap { ["ballast:\($0)", "x"] }
            try await scene.stage.redis.call(["MSET"] + ballast)
            try await scene.stage.redis.call("CONFIG", "SET", "key-load-delay", "500", "loading-process-events-interval-bytes", "1024")
            _ = try? await scene.stage.redis.call("DEBUG", "LOADAOF")
            try await until("Redis has loaded") { (try? await scene.stage.redis.call("SET", "millrace-faults", "1")) == "OK" }
            try await scene.stage.redis.call("CONFIG", "SET", "key-load-delay", "0")
            try await scene.stage.redis.call(["UNLINK"] + (0..<2000).map { "ballast:\($0)" })
        },
        Fault(.redis, "out-of-connections") { scene in
            try await scene.set("maxclients", "1", back: "10000") {
                try await scene.stage.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                try await scene.wait(.milliseconds(1500))
            }
        },
        Fault(.redis, "replies-too-large") { scene in
            // Readers of more than this are cut off in the middle.
            try await scene.set("client-output-buffer-limit", "normal 4096 0 0", back: "normal 0 0 0") {
                try await scene.producer.insert(scene.producer.nextEvents(400).map { $0.padded(to: 4096) })
                try await scene.wait(.seconds(1))
            }
        },
    ]
}

extension Scene {
    /// Does something to Redis again and again, whether or not it answers.
    func repeatedly(for duration: Duration, every milliseconds: Int, _ body: @Sendable (RedisProbe) async throws -> Void) async throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            _ = try? await body(stage.redis)
            try await Task.sleep(for: .milliseconds(milliseconds))
        }
    }

    /// Changes a setting of Redis for a while.
    fileprivate func set(_ name: String, _ value: String, back: String, _ meanwhile: () async throws -> Void) async throws {
        try await stage.redis.call("CONFIG", "SET", name, value)
        try await meanwhile()
        try await stage.redis.call("CONFIG", "SET", name, back)
    }
}
