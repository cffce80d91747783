import Foundation
import Testing

extension Faults {
    @Suite struct ManyPartitionsTests {
        @Test func `two workers share two streams of three partitions, and one takes the other's over within a lease`() async throws {
            let lease = Duration.seconds(2)
            let streams = [
                Place.Stream(partitions: 3, settings: ["chunk: { events: 200 }"], models: ["trace", "trace-again"]),
                Place.Stream(name: "product", partitions: 3, settings: ["chunk: { events: 500 }"], model: .commerce, models: ["product", "product-again"]),
            ]
            try await Place.with(streams, lease: "2s") { place in
                try place.write("jobs-trace/drain.yaml", "version: 1\njob: drain\nstreams: [trace]\nevery: 1s\n")
                let journal = try place.journal()
                var events = try TraceEvents(keys: 300)
                let products = try place.python("bench/workload.py", ["--events", "30000", "--keys", "5000", "--seed", "5"])
                #expect(try await products.ended().cause == .exit(0))

                // The first works on one stream only, so that each has something when it starts.
                let first = try place.start(.release, ["run"], jobs: "jobs-trace")
                try await until("the first worker holds its partitions") { try await place.holders("trace") == [first.pid] }
                let second = try place.start(.release, ["run"])
                let push = try place.start(.release, ["push", "product", products.output.path])
                for _ in 0..<10 { try await place.push(events.next(500), journal) }
                try await until("each holds a stream's partitions") { try await place.holders("product") == [second.pid] }
                #expect(try await place.holders("trace") == [first.pid])
                #expect(try await push.ended().cause == .exit(0))

                first.send(SIGKILL)
                let killed = ContinuousClock.now
                try await place.push(events.next(2000), journal)
                try await until(every: .milliseconds(5), "the second worker takes over") { try await place.holders("trace") == [second.pid] }
                let taken = ContinuousClock.now - killed
                #expect(taken <= lease + .seconds(2))
                for _ in 0..<5 { try await place.push(events.next(500), journal) }
                try await place.drain().expectSums()
                try await second.expectStop()

                // One receipt over both streams.
                try await place.push(events.next(500), journal)
                #expect(try await place.run(.release, ["push", "product", products.output.path]).cause == .exit(0))
                let receipt = try await place.drain()
                receipt.expectSums()
                #expect(receipt.received == 30_500)
                #expect(receipt.duplicates == 30_000)
                #expect(receipt.models.mapValues(\.applied) == ["trace": 500, "trace-again": 500, "product": 0, "product-again": 0])
                let traces = try await place.expectAllWell("trace", journal.file)
                let bought = try await place.expectAllWell("product", products.output)
                tally(
                    "2 streams of 3 partitions, 4 models, 2 workers: \(traces.events) and \(bought.events) events; "
                        + "a dead worker was replaced after \(taken.rounded) of a lease of 2 s"
                )
            }
        }
    }
}

extension Place {
    /// The processes that hold the stream's partitions.
    fileprivate func holders(_ stream: String) async throws -> Set<pid_t?> {
        var holders: Set<pid_t?> = []
        for partition in 0..<(streams.first { $0.name == stream }?.partitions ?? 0) { holders.insert(try await mongo.holder(stream, partition)) }
        return holders
    }
}
