import BadNetwork
import Events
import Foundation
import RedisAddress
import RedisBuffer
import Testing

extension Faults {
    /// That the proxy does what the faults count on: a network that is not bad would prove nothing.
    @Suite struct ProxyTests {
        /// A list behind a proxy, and a way to it that goes past.
        private func run(_ body: (Proxy, RedisBuffer, Place) async throws -> Void) async throws {
            try await Place.with { place in
                let port = try #require(URL(string: place.servers.redis)?.port)
                let proxy = try Proxy(.redis, to: port)
                defer { proxy.stop() }
                let buffer = RedisBuffer(
                    url: try RedisURL("redis://127.0.0.1:\(proxy.port)"), list: place.list(), installation: "", maxEventBytes: .mebibytes(1),
                    timeout: .seconds(1))
                try await buffer.push([[1]])
                try await body(proxy, buffer, place)
            }
        }

        @Test func `a request whose reply is lost has taken effect, and one that is dropped has not`() async throws {
            try await run { proxy, buffer, place in
                proxy.expect([.pass, .loseReply, .drop], of: "RPUSH")
                try await buffer.push([[2]])
                for element: UInt8 in [3, 4] {
                    await #expect(throws: RedisError.self) { try await buffer.push([[element]]) }
                }
                try await buffer.push([[5]])
                #expect(proxy.seen == 4)
                #expect(try await place.redis.elements(of: place.list()) == [[1], [2], [3], [5]])
            }
        }

        @Test func `a request that is held arrives when it is delivered`() async throws {
            try await run { proxy, buffer, place in
                proxy.expect([.hold], of: "RPUSH")
                await #expect(throws: RedisError.self) { try await buffer.push([[2]]) }
                try await buffer.push([[3]])
                #expect(proxy.held == 1)
                await OwnThread.run { proxy.deliver() }
                #expect(try await place.redis.elements(of: place.list()) == [[1], [3], [2]])
            }
        }

        @Test func `a stalled network only takes its time, a silent one never answers`() async throws {
            try await run { proxy, buffer, place in
                proxy.set(.stalled)
                async let late: Int64 = buffer.push([[2]])
                try await Task.sleep(for: .milliseconds(300))
                #expect(try await place.redis.length(of: place.list()) == 1)
                proxy.clear()
                #expect(try await late == 2)

                proxy.set(.silent)
                await #expect(throws: RedisError.self) { try await buffer.push([[3]]) }
                proxy.clear()
                try await buffer.push([[4]])
                #expect(try await place.redis.elements(of: place.list()) == [[1], [2], [4]])
            }
        }

        @Test func `a slow network delays, single bytes arrive whole, and resets and refusals are noticed`() async throws {
            try await run { proxy, buffer, place in
                proxy.set(Weather(latency: .milliseconds(100)))
                let began = ContinuousClock.now
                try await buffer.push([[2]])
                #expect(ContinuousClock.now - began > .milliseconds(200))
                proxy.set(Weather(slice: 1))
                try await buffer.push([[3]])
                proxy.clear()
                proxy.reset()
                await #expect(throws: RedisError.self) { try await buffer.push([[4]]) }
                try await buffer.push([[5]])
                proxy.set(Weather(refuses: true))
                proxy.reset()
                for _ in 0..<2 { await #expect(throws: RedisError.self) { try await buffer.push([[6]]) } }
                proxy.clear()
                #expect(try await place.redis.elements(of: place.list()) == [[1], [2], [3], [5]])
            }
        }
    }
}
