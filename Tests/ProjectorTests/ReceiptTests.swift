import Events
import Testing
import Values

@testable import Projector

@Suite struct ReceiptTests {
    private func checkSums(_ receipt: Receipt, _ comment: String) {
        #expect(receipt.received == receipt.logged + receipt.duplicates, "\(comment)")
        for (name, sums) in receipt.models {
            let totals = sums.totals
            let behind = totals.applied + totals.ignored + totals.parked + totals.held + sums.behindAfter
            #expect(sums.behindBefore + sums.logged == behind, "\(comment), \(name)")
        }
    }

    @Test func `each model is measured by its own stream`() {
        let readings = [("a", Int64(5)), ("b", 3)].map { name, logged in
            var totals = ProjectionTotals()
            (totals.logged, totals.ignored) = (logged - 1, logged - 1)
            return PartitionReading(log: LogTotals(received: logged), builds: [BuildID(model: name, number: 1): totals])
        }
        let receipt = Receipt(readings.map { (PartitionReading(), $0) }, seconds: 1)
        #expect(receipt.logged == 8)
        #expect(receipt.models.mapValues(\.logged) == ["a": 5, "b": 3])
        checkSums(receipt, "two streams")
    }

    @Test func `the members that are printed`() {
        var totals = ProjectionTotals()
        for (number, count) in ProjectionTotals.counts.enumerated() { totals[keyPath: count.path] = Int64(number + 1) }
        let build = BuildID(model: "m", number: 1)
        let stopped = Standstill(
            build: build, partition: PartitionID(stream: "s", number: 3), offset: 4, eventId: "e", type: "t", key: "k", refusal: Refusal(.badOperand, "why"))
        let after = PartitionReading(log: LogTotals(received: 10, duplicates: 3, undecodable: 2), builds: [build: totals], stopped: [build: stopped])
        let receipt = Receipt([(PartitionReading(), after)], seconds: 1.23456)
        #expect(!receipt.isEmpty)
        #expect(receipt.parked == totals.parked)
        let model: Document = [
            "behindBefore": .int64(0), "logged": .int64(7), "applied": .int64(3), "ignored": .int64(4), "parked": .int64(5), "held": .int64(6),
            "behindAfter": .int64(6), "inserted": .int64(7),
            "updated": .int64(8), "deleted": .int64(9), "unchanged": .int64(10), "drift": .int64(11),
            "stopped": [
                [
                    "partition": .int64(3), "offset": .int64(4), "eventId": "e", "eventType": "t", "key": "k", "problem": "bad-operand", "message": "why",
                ]
            ],
        ]
        let expected: Document = [
            "received": .int64(10), "logged": .int64(7), "duplicates": .int64(3), "undecodable": .int64(2), "seconds": 1.235, "models": ["m": .document(model)],
        ]
        #expect(receipt.document == expected)
    }

    @Test func `no count is forgotten`() {
        #expect(ProjectionTotals.counts.map(\.name) == Mirror(reflecting: ProjectionTotals()).children.compactMap(\.label))
    }

    @Test func `something happened when an element came, or a checkpoint moved`() {
        let build = BuildID(model: "m", number: 1)
        var totals = ProjectionTotals()
        totals.ignored = 1
        #expect(!Receipt([(PartitionReading(), PartitionReading(log: LogTotals(received: 1, duplicates: 1)))], seconds: 0).isEmpty)
        #expect(!Receipt([(PartitionReading(), PartitionReading(builds: [build: totals]))], seconds: 0).isEmpty)
        #expect(Receipt([(PartitionReading(builds: [build: totals]), PartitionReading(builds: [build: totals]))], seconds: 0).isEmpty)
    }
}
