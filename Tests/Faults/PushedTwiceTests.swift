import Foundation
import Testing

extension Faults {
    @Suite struct PushedTwiceTests {
        @Test func `the same 100,000 events pushed twice give the documents of once, and 100,000 duplicates`() async throws {
            let stream = Place.Stream(name: "product", model: .commerce, models: ["product"])
            try await Place.with([stream]) { place in
                let made = try place.python("bench/workload.py", ["--events", "100000", "--keys", "20000", "--seed", "3"])
                #expect(try await made.ended().cause == .exit(0))
                for time in 1...2 {
                    let pushed = try await place.run(.release, ["push", "product", made.output.path])
                    #expect(pushed.cause == .exit(0), "\(pushed.errors)")
                    let receipt = try await place.drain()
                    receipt.expectSums()
                    #expect(receipt.received == 100_000)
                    #expect(receipt.duplicates == (time == 1 ? 0 : 100_000))
                    #expect(receipt.models["product"]?.applied == (time == 1 ? 100_000 : 0))
                    if time == 2 {
                        let sums = receipt.models["product"]
                        #expect([sums?.inserted, sums?.updated, sums?.deleted, sums?.drift] == [0, 0, 0, 0])
                    }
                }
                let verdict = try await place.expectAllWell("product", made.output)
                #expect(verdict.log["event"] == 100_000)
                #expect(verdict.log["duplicate"] == 100_000)
                tally("100,000 events pushed twice: \(verdict.documents) documents as if once, \(verdict.log["duplicate"] ?? 0) duplicates")
            }
        }
    }
}
