import Foundation
import Testing

extension Fault {
    /// What somebody does to the keys.
    static let redisKeys = [
        Fault(.redis, "fence-deleted") { scene in
            let fence = scene.place.list() + ":fence"
            try await scene.repeatedly(for: .seconds(1), every: 20) { try await $0.call("DEL", fence) }
        },
        Fault(.redis, "fence-raised") { scene in
            for step in 1...3 {
                try await scene.stage.redis.call("SET", scene.place.list() + ":fence", "\(1000 * step)")
                try await scene.pause(upTo: 500)
            }
        },
        Fault(.redis, "cuts-deleted") { scene in
            try await scene.stage.redis.call("DEL", scene.place.list() + ":cuts")
        },
        Fault(.redis, "owner-deleted") { scene in
            try await scene.stage.redis.call("DEL", scene.place.list() + ":owner")
        },
        Fault(.redis, "segment-id-deleted") { scene in
            let id = scene.place.list() + ":segment:id"
            try await scene.repeatedly(for: .seconds(1), every: 30) { try await $0.call("DEL", id) }
        },
        Fault(.redis, "segment-deleted", combinable: false) { scene in
            try await scene.meddleWithSegment { scene, segment, logged in
                let elements = try await scene.stage.redis.elements(of: segment)
                try await scene.stage.redis.call("DEL", segment)
                return Array(elements[logged...])
            }
        },
        Fault(.redis, "segment-shortened", combinable: false) { scene in
            try await scene.meddleWithSegment { scene, segment, logged in
                let elements = try await scene.stage.redis.elements(of: segment)
                let kept = logged + scene.below(elements.count - logged)
                try await scene.stage.redis.call("LTRIM", segment, "0", "\(kept - 1)")
                return Array(elements[kept...])
            }
        },
        Fault(.redis, "list-is-a-string", combinable: false) { scene in
            try await scene.replaceList { try await $0.call("SET", scene.place.list(), "no list") }
        },
        Fault(.redis, "list-is-a-hash", combinable: false) { scene in
            try await scene.replaceList { try await $0.call("HSET", scene.place.list(), "no", "list") }
        },
        Fault(.redis, "expiry-set", combinable: false) { scene in
            // A cut takes it off again. With a drain that stands still, it would take the events.
            let list = scene.place.list()
            try await scene.repeatedly(for: .milliseconds(500), every: 5) { try await $0.call("PEXPIRE", list, "3000") }
            try await scene.wait(.milliseconds(200))
            try await scene.stage.redis.call("PERSIST", list)
        },
    ]
}

extension Scene {
    /// Stops a worker in the middle of a segment, takes some of it away, and expects that the loss is reported.
    ///
    /// - Parameter take: gets the segment and how much of it is logged; returns what it took away.
    fileprivate func meddleWithSegment(_ take: (Scene, String, Int) async throws -> [[UInt8]]) async throws {
        try await stopAll()
        try await producer.pause()
        try await producer.insert(producer.nextEvents(2000))
        let before = try await place.mongo.tail("trace")
        try start(0, .debug, environment: ["MILLRACE_FREEZE_AT": "chunk-appended:3"])
        let child = try worker(0)
        try await until("a worker is in the middle of a segment") { child.isFrozen }
        let logged = try await place.mongo.tail("trace") - before
        let taken = try await take(self, place.list() + ":segment", logged)
        #expect(!taken.isEmpty)
        expectLost(taken)
        note("\(taken.count) elements")
        child.send(SIGCONT)
        try await expectLog("elements are gone", "elements-lost", "\(taken.count) elements", place.list())
        await producer.resume()
    }

    /// Puts something else in the list's place for a while: the partition stops, says why, and goes on when it is gone.
    fileprivate func replaceList(_ body: (RedisProbe) async throws -> Void) async throws {
        let list = place.list()
        try await producer.pause()
        try await until("the list is drained") { try await inRedis() == 0 }
        try await body(stage.redis)
        await producer.resume()
        try await expectLog("the list is none", "wrong-type", list, "the partition stands still until somebody acts")
        let status = try await place.run(.release, ["status"])
        #expect(status.cause != .exit(0) && status.errors.contains("wrong-type"), "status says \(status.errors)")
        try await stage.redis.call("DEL", list)
    }
}
