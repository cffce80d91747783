import BadNetwork
import Foundation
import Sandbox

extension Fault {
    /// What lies between workers and servers, and between the members.
    static let network = [
        // Redis.
        Fault(.network, "redis-reset") { scene in for proxy in scene.stage.redisOfWorkers { proxy.reset() } },
        Fault(.network, "redis-reset-in-a-loop") { scene in
            try await scene.repeatedly(for: .seconds(2), every: 20) { _ in for proxy in scene.stage.redisOfWorkers { proxy.reset() } }
        },
        Fault(.network, "redis-half-closed") { scene in for proxy in scene.stage.redisOfWorkers { proxy.halfClose() } },
        Fault(.network, "redis-slow") { scene in try await scene.redisWeather(Weather(latency: .milliseconds(50)), for: .seconds(2)) },
        Fault(.network, "redis-one-byte-at-a-time") { scene in try await scene.redisWeather(Weather(slice: 1), for: .seconds(2)) },
        Fault(.network, "redis-stalled") { scene in try await scene.redisWeather(.stalled, for: .seconds(3)) },
        Fault(.network, "redis-silent-to-one") { scene in
            // What it has connected stays silent for ever: the other one has to take over, or it to give up.
            try await scene.stage.redisOfWorkers[scene.holder()].silence()
        },
        Fault(.network, "redis-hears-but-does-not-answer") { scene in
            try await scene.redisWeather(Weather(toClient: .stalled), for: .seconds(2))
        },
        Fault(.network, "redis-unreachable") { scene in
            for proxy in scene.stage.redisOfWorkers {
                proxy.set(Weather(refuses: true))
                proxy.reset()
            }
            try await scene.wait(.seconds(2))
            for proxy in scene.stage.redisOfWorkers { proxy.clear() }
        },
        Fault(.network, "producer-reset-in-a-loop") { scene in
            try await scene.repeatedly(for: .seconds(2), every: 50) { _ in scene.stage.redisOfProducers.reset() }
        },
        Fault(.network, "producer-stalled") { scene in
            scene.stage.redisOfProducers.set(.stalled)
            try await scene.wait(.seconds(3))
            scene.stage.redisOfProducers.clear()
        },

        // MongoDB.
        Fault(.network, "mongodb-reset") { scene in for slot in 0..<Stage.workers { for member in scene.stage.members { member.reset(scene.scope(slot)) } } },
        Fault(.network, "mongodb-reset-in-a-loop") { scene in
            let slot = try await scene.holder()
            try await scene.repeatedly(for: .seconds(2), every: 100) { _ in for member in scene.stage.members { member.reset(scene.scope(slot)) } }
        },
        Fault(.network, "mongodb-half-closed") { scene in
            let slot = try await scene.holder()
            for member in scene.stage.members { member.halfClose(scene.scope(slot)) }
        },
        Fault(.network, "mongodb-slow") { scene in
            try await scene.mongoWeather(Weather(latency: .milliseconds(50)), for: .seconds(2))
        },
        Fault(.network, "mongodb-one-byte-at-a-time") { scene in try await scene.mongoWeather(Weather(slice: 1), for: .seconds(2)) },
        Fault(.network, "mongodb-stalled") { scene in try await scene.mongoWeather(.stalled, for: .seconds(3)) },
        Fault(.network, "mongodb-hears-but-does-not-answer") { scene in
            try await scene.mongoWeather(Weather(toClient: .stalled), for: .seconds(2))
        },
        Fault(.network, "mongodb-silent-to-one") { scene in
            let slot = try await scene.holder()
            for member in scene.stage.members { member.silence(scene.scope(slot)) }
        },
        Fault(.network, "mongodb-silent-to-its-work", isLong: true) { scene in
            // What is used meanwhile stays silent for ever, as where a router forgets connections; the lease may be renewed
            // on another connection, so that nobody takes over before the deadline of 30 s.
            let slot = try await scene.holder()
            for member in scene.stage.members { member.set(.silent, for: scene.scope(slot)) }
            try await scene.wait(.milliseconds(500))
            for member in scene.stage.members { member.clear() }
        },
        Fault(.network, "mongodb-primary-unreachable") { scene in
            let proxy = try await scene.stage.proxy(of: scene.stage.primary())
            for slot in 0..<Stage.workers {
                proxy.set(Weather(refuses: true), for: scene.scope(slot))
                proxy.reset(scene.scope(slot))
            }
            try await scene.wait(.seconds(2))
            proxy.clear()
        },

        // Between the members.
        Fault(.network, "members-slow") { scene in
            for member in scene.stage.members { member.set(Weather(latency: .milliseconds(30)), for: .members) }
            try await scene.wait(.seconds(2))
            for member in scene.stage.members { member.clear() }
        },
        Fault(.network, "members-cannot-reach-the-primary") { scene in
            // It reaches them, and the workers reach it, until it hears of another one.
            let proxy = try await scene.stage.proxy(of: scene.stage.primary())
            proxy.set(Weather(toServer: .stalled, toClient: .stalled), for: .members)
            try await scene.wait(.seconds(4))
            proxy.clear()
        },
        Fault(.network, "members-reset-in-a-loop") { scene in
            try await scene.repeatedly(for: .seconds(2), every: 200) { _ in for member in scene.stage.members { member.reset(.members) } }
        },
    ]
}

extension Scene {
    fileprivate func redisWeather(_ weather: Weather, for duration: Duration) async throws {
        for proxy in stage.redisOfWorkers { proxy.set(weather) }
        try await wait(duration)
        for proxy in stage.redisOfWorkers { proxy.clear() }
    }

    /// For the workers' connections to every member.
    fileprivate func mongoWeather(_ weather: Weather, for duration: Duration) async throws {
        for member in stage.members { for slot in 0..<Stage.workers { member.set(weather, for: scope(slot)) } }
        try await wait(duration)
        for member in stage.members { member.clear() }
    }
}
