import Events
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    @Suite struct ReadingsTests {
        private func readings(_ mongo: TestMongo) throws -> MongoReadings {
            MongoReadings(connection: try mongo.connection(), database: mongo.database)
        }

        @Test func `a reading has the log's totals and those of every build of the partition`() async throws {
            try await TestMongo.run { mongo in
                let readings = try readings(mongo)
                #expect(try await readings.reading(of: Commits.partition) == PartitionReading())
                var writer = LogWriter(try await mongo.log())
                try await writer.append([event("a"), event("a"), "no json", event("b")])
                let store = try mongo.store()
                let other = BuildID(model: "category", number: 3)
                #expect(try await store.commit(Commits.commit(store.checkpoint(), events: 2, [Commits.insert("p-1")], [Commits.letter(0)])) == .committed)
                #expect(try await store.commit(Commits.commit(store.checkpoint(other), events: 3, [])) == .committed)
                _ = try await store.checkpoint(of: Commits.build, PartitionID(stream: "product", number: 1))

                let reading = try await readings.reading(of: Commits.partition)
                #expect(reading.log == LogTotals(received: 4, duplicates: 1, undecodable: 1))
                #expect(reading.builds.mapValues(\.applied) == [Commits.build: 2, other: 3])
                #expect(try await readings.checkpoints(of: Commits.partition).count == 2)
                #expect(try await readings.tail(of: Commits.partition).offset == 4)
                #expect(try await readings.documents(of: Commits.build) == 1)
                #expect(try await readings.documents(of: other) == 0)
                #expect(try await readings.deadLetters() == 1)
                #expect(try await readings.document(of: Commits.build, key: "p-1")?["stock"] == 1)
                #expect(try await readings.document(of: Commits.build, key: "p-2") == nil)
            }
        }

        @Test func `the time of logging of an offset is its chunk's`() async throws {
            try await TestMongo.run { mongo in
                var writer = LogWriter(try await mongo.log())
                let first = try await writer.append([event("a"), event("b")])
                let second = try await writer.append([event("c")])
                let readings = try readings(mongo)
                for (offset, at) in [(Int64(0), first.at), (1, first.at), (2, second.at)] {
                    #expect(try await readings.logged(at: offset, of: Commits.partition) == at)
                }
                #expect(try await readings.logged(at: 0, of: PartitionID(stream: "product", number: 1)) == nil)
            }
        }

        @Test func `a partition's last receipt is where the next one begins`() async throws {
            try await TestMongo.run { mongo in
                let readings = try readings(mongo)
                #expect(try await readings.lastReceipt(of: Commits.partition) == LastReceipt())
                var totals = ProjectionTotals()
                for (number, count) in ProjectionTotals.counts.enumerated() { totals[keyPath: count.path] = Int64(number) + 1 }
                let other = PartitionID(stream: "product", number: 1)
                let early = PartitionReading(log: LogTotals(received: 1, duplicates: 0, undecodable: 0), builds: [Commits.build: ProjectionTotals()])
                let late = PartitionReading(log: LogTotals(received: 9, duplicates: 2, undecodable: 1), builds: [Commits.build: totals])
                func record(_ id: String, _ all: [PartitionID: PartitionReading]) async throws {
                    let receipt = Receipt(all.values.map { (PartitionReading(), $0) }, seconds: 1)
                    try await readings.record(RunRecord(id: id, job: "drain", owner: "me", lasted: .seconds(1), receipt: receipt, readings: all))
                }
                // Not in the order in which they ended.
                try await record("a", [Commits.partition: early])
                // Of a primary whose clock was ahead of this one's.
                try await mongo.change("millrace.runs", ["_id": "a"], ["$set": ["ended": .date(4_000_000_000_000)]])
                try await record("b", [Commits.partition: late, other: late])
                try await record("c", [other: early])
                #expect(try await readings.lastReceipt(of: Commits.partition) == LastReceipt(reading: late, number: 2))
                #expect(try await readings.lastReceipt(of: other) == LastReceipt(reading: early, number: 2))
                #expect(try await mongo.documents("millrace.runs").map { $0["job"] } == ["drain", "drain", "drain"])
                await #expect(throws: MongoError.self) { try await record("a", [:]) }
            }
        }

        /// A worker that was frozen between reading the last receipt and writing the next counted again what its successor had.
        @Test func `two receipts never continue the same one`() async throws {
            try await TestMongo.run { mongo in
                let (readings, partition) = (try readings(mongo), Commits.partition)
                _ = try await MongoCatalog(connection: mongo.connection(), database: mongo.database).open()
                func record(_ received: Int64, after last: LastReceipt?) async throws {
                    let reading = PartitionReading(log: LogTotals(received: received, duplicates: 0, undecodable: 0))
                    try await readings.record(
                        RunRecord(
                            id: "\(received)", job: "drain", owner: "me", lasted: .seconds(1), receipt: Receipt([], seconds: 1), readings: [partition: reading],
                            last: last.map { [partition: $0] })
                    )
                }
                let first = try await readings.lastReceipt(of: partition)
                try await record(10, after: first)
                await #expect(throws: MongoError.self) { try await record(11, after: first) }
                // One that stands by itself is written all the same.
                try await record(20, after: nil)
                let last = try await readings.lastReceipt(of: partition)
                #expect(last.reading.log.received == 20 && last.number == 2)
                try await record(30, after: last)
                #expect(try await readings.lastReceipt(of: partition).number == 3)
            }
        }
    }
}
