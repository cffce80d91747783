import EventFixtures
import Events
import Testing
import Values

@Suite(.serialized) struct PushTests {
    @Test func `events go onto the list of their key's partition, in order, from a file and from standard input`() async throws {
        try await Installation.run(partitions: 3) { installation in
            // Keys as text and as integers, several events each; more than one run of lines.
            let events = (0..<2500).map { number -> EventText in
                let key: Value = number % 2 == 0 ? .string("key-\(number % 11)") : .int32(Int32(number % 7))
                return EventText("\(number)", "stockAdjusted", key: key, data: ["delta": .int32(Int32(number))])
            }
            func key(_ event: EventText) -> String { event.key.asString ?? "\(event.key.asInteger ?? 0)" }
            let expected = (0..<3).map { partition in events.filter { Partitioning.partition(of: key($0).utf8, count: 3) == partition }.map(\.json) }
            #expect(expected.allSatisfy { $0.count > 100 })

            try installation.write("events.ndjson", events.prefix(1200).map { $0.json + "\n" }.joined())
            let first = try await installation.json("push", "product", "events.ndjson")
            #expect(first["pushed"] == 1200)
            // No line end behind the last one, and empty lines.
            let rest = "\n" + events.dropFirst(1200).map(\.json).joined(separator: "\n\n")
            let second = try await installation.json("push", "product", "-", input: rest)
            #expect(second["pushed"] == 1300)
            for partition in 0..<3 {
                #expect(try await installation.redis("LRANGE", installation.list(partition), "0", "-1") == expected[partition], "partition \(partition)")
                let counted = [first, second].reduce(0) { $0 + ($1["lists"]?.number(installation.list(partition)) ?? 0) }
                #expect(counted == Int64(expected[partition].count))
            }

            let receipt = try await installation.json("drain", "--once")
            #expect(receipt["received"] == 2500 && receipt["undecodable"] == 0)
            #expect(try await installation.documents("product").count == Set(events.map(key)).count)
        }
    }

    @Test func `what has no usable key goes onto the first list as it is`() async throws {
        try await Installation.run(partitions: 3) { installation in
            let lines = ["no json", "{}", #"{"eventId":"1","eventType":"t","key":true}"#, #"{"eventId":"1","eventType":"t","key":1.5}"#, " "]
            let ended = try await installation.millrace("push", "product", input: lines.joined(separator: "\n"))
            #expect(ended.code == 0 && ended.output == "pushed 5 events\n")
            #expect(try await installation.redis("LRANGE", installation.list(), "0", "-1") == lines)
            let receipt = try await installation.json("drain", "--once", code: 1)
            #expect(receipt["undecodable"] == 5)
        }
    }

    @Test func `nothing is pushed of nothing, and an event in another partition's list is parked`() async throws {
        try await Installation.run(partitions: 2) { installation in
            #expect(try await installation.json("push", "product", input: "\n\n") == ["pushed": 0, "lists": [:]])
            let event = EventText("1", "stockAdjusted", key: "a", data: ["delta": 1]).json
            let right = Partitioning.partition(of: "a".utf8, count: 2)
            _ = try await installation.redis("RPUSH", installation.list(1 - right), event)
            _ = try await installation.json("drain", "--once", code: 1)
            let letter = try #require(try await installation.documents("millrace.dead_letters").first)
            #expect(letter["problem"] == "wrong-partition")
            #expect(letter["message"]?.asString?.contains(installation.list(right)) == true)
        }
    }
}
