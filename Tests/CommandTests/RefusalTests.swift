import EventFixtures
import Testing
import Values

/// What a person has to change before anything is done: exit code 78, in one clear line.
@Suite(.serialized) struct RefusalTests {
    @Test func `run without a job`() async throws {
        try await Installation.run(["jobs/drain.yaml": "version: 1\njob: drain\n"]) { installation in
            let ended = try await installation.millrace("run", "--jobs", "none")
            #expect(ended.code == 78 && ended.output == "")
            #expect(ended.errors.contains("there is no job in none: add none/drain.yaml"), "\(ended.errors)")
        }
    }

    @Test func `another number of partitions`() async throws {
        try await Installation.run(partitions: 2) { installation in
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 1])])
            try installation.write("config/millrace.yaml", "version: 1\nstreams: { product: { list: \"\(installation.name):{product}\", partitions: 3 } }\n")
            for arguments in [["drain", "--once"], ["run"]] {
                let ended = try await installation.start(arguments).ended()
                #expect(ended.code == 78 && ended.output == "")
                #expect(ended.errors.contains("partitions-changed: the stream product was made with 2 partitions"), "\(ended.errors)")
            }
        }
    }

    @Test func `another installation's list`() async throws {
        try await Installation.run { installation in
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 1])])
            _ = try await installation.millrace("push", "product", input: EventText("2", "stockAdjusted", key: "a", data: ["delta": 1]).json)
            let other = ["MILLRACE_MONGODB_DATABASE": "\(installation.name)_other"]
            let ended = try await installation.millrace("drain", "--once", environment: other)
            #expect(ended.code == 78 && ended.output == "")
            #expect(ended.errors.contains("other-installation: the list \(installation.list()) belongs to the installation"), "\(ended.errors)")
            #expect(try await installation.redis("LLEN", installation.list()) == ["1"])
            try await installation.drop("\(installation.name)_other")
        }
    }

    @Test func `a name that is taken in the database`() async throws {
        try await Installation.run { installation in
            try await installation.command(["create": "product"])
            let ended = try await installation.millrace("drain", "--once")
            #expect(ended.code == 78)
            #expect(ended.errors.contains("has a collection product that is not Millrace's: rename it or the model"), "\(ended.errors)")
        }
    }

    @Test func `what a newer version has stored`() async throws {
        try await Installation.run { installation in
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 1])])
            _ = try await installation.millrace("push", "product", input: EventText("2", "stockAdjusted", key: "a", data: ["delta": 1]).json)
            for collection in ["millrace.meta", "millrace.definitions", "millrace.checkpoints", "millrace.log", "millrace.leases"] {
                func set(_ format: Int32) async throws {
                    try await installation.command([
                        "update": .string(collection), "updates": [["q": [:], "u": ["$set": ["format": .int32(format)]], "multi": true]],
                        "writeConcern": ["w": "majority"],
                    ])
                }
                try await set(99)
                let ended = try await installation.millrace("drain", "--once")
                #expect(ended.code == 78, "\(collection): \(ended.errors)")
                #expect(ended.output == "", "\(collection)")
                try await set(1)
            }
            #expect(try await installation.json("drain", "--once")["received"] == 1)
        }
    }
}
