import Events
import Foundation
import Testing

extension Fault {
    /// What producers do.
    static let input = [
        Fault(.input, "everything-again") { scene in
            let lines = try scene.journal.lines()
            for start in stride(from: 0, to: lines.count, by: 500) {
                try await scene.producer.insert(lines[start..<min(lines.count, start + 500)].map { Array($0.utf8) })
            }
        },
        Fault(.input, "old-events-in-another-order") { scene in
            let lines = try scene.journal.lines()
            for _ in 0..<10 {
                let some = (0..<50).map { _ in Array(scene.pick(lines).utf8) }
                try await scene.producer.insert(some)
            }
        },
        Fault(.input, "no-events") { scene in
            let odd =
                ["", "{", "[]", "7", "null", "{\"eventId\":\"odd\"}", "\u{0}", String(repeating: "[", count: 10_000)].map { Array($0.utf8) } + [[0xff, 0xfe]]
            for _ in 0..<20 {
                let some = (0..<20).map { _ in scene.pick(odd) }
                scene.expectRefused(some.count)
                try await scene.producer.insert(some, isJournaled: false)
            }
        },
        Fault(.input, "oversize") { scene in
            let large = await scene.producer.nextEvents(10).map { $0.padded(to: 2 * Round.maxEventBytes) }
            scene.expectRefused(large.count)
            for event in large { try await scene.producer.insert([event], isJournaled: false) }
            try await scene.flowsOn()
            try await until("they are kept") { try await scene.stage.redis.elements(of: scene.place.list() + ":oversize").count == large.count }
        },
        Fault(.input, "ids-used-again") { scene in
            // The id of another event, with other content.
            let lines = try scene.journal.lines().suffix(100).filter { $0.contains("\"amount\":") }
            let forged = Set(lines).map { Array($0.replacing("\"amount\":", with: "\"changed\":true,\"amount\":").utf8) }
            scene.expectRefused(forged.count)
            try await scene.producer.insert(forged, isJournaled: false)
        },
        Fault(.input, "one-key") { scene in
            let events = await scene.producer.nextEvents(2000).map { event in
                Array(String(decoding: event, as: UTF8.self).replacing(/"key":"k-\d+"/, with: "\"key\":\"k-1\"").utf8)
            }
            try await scene.producer.insert(events)
        },
        Fault(.input, "one-cut", combinable: false) { scene in
            // Everything that came in while nobody worked is one segment.
            let total = Root.isLong && scene.round % 10 == 0 ? 2_000_000 : 50_000
            try await scene.stopAll()
            try await scene.producer.pause()
            for start in stride(from: 0, to: total, by: 10_000) {
                try await scene.producer.insert(scene.producer.nextEvents(min(10_000, total - start)))
            }
            for slot in 0..<Stage.workers { try scene.start(slot) }
            try await scene.drained(within: .seconds(30 + total / 5000))
            let peak = try (0..<Stage.workers).compactMap { try scene.worker($0).peakMemory?.bytes }.max() ?? 0
            scene.note("\(total) events, \(peak >> 20) MiB")
            #expect(peak < 256 << 20, "memory is bounded, whatever waits")
            await scene.producer.resume()
        },
    ]
}
