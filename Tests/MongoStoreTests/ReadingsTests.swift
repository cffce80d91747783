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
                #expect(try await readings.deadLetters(of: [Commits.build]) == 1)
                #expect(try await readings.deadLetters(of: [other]) == 0)
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
    }
}
