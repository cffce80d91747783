import EventFixtures
import Testing
import Values

@Suite(.serialized) struct CheckTests {
    private static let noServers = ["MILLRACE_REDIS_URL": "redis://127.0.0.1:1", "MILLRACE_MONGODB_URL": "mongodb://127.0.0.1:1/?replicaSet=rs0"]

    @Test func `a good configuration is good, with servers and without`() async throws {
        try await Installation.run { installation in
            let with = try await installation.millrace("check")
            #expect(with.code == 0 && with.errors == "")
            #expect(with.output.hasSuffix("good: 1 streams, 1 models, 1 jobs\n"))
            #expect(
                try await installation.json("check") == [
                    "problems": [], "models": ["product": ["stream": "product", "class": "keyed", "state": "new"]],
                ])
            let without = try await installation.millrace("check", environment: Self.noServers)
            #expect(without.code == 0 && without.output.hasSuffix("good: 1 streams, 1 models, 1 jobs\n"))
            #expect(without.errors.hasPrefix("millrace: the state of the models is unknown: "), "\(without.errors)")
            #expect(try await installation.documents("millrace.meta").isEmpty, "looking makes nothing")
        }
    }

    @Test func `every problem is told with its place, whatever the command`() async throws {
        let files = [
            "config/millrace.yaml": "version: 1\nstreams:\n  product: { partitons: 3 }\n  category: { partitions: 0 }\n",
            "config/models/product.yaml": "version: 1\nmodel: product\nstream: prodct\nfold:\n  renamed: { $sett: { name: $data.name } }\n",
            "jobs/drain.yaml": "version: 1\njob: drain\npoll: soon\n",
        ]
        try await Installation.run(files) { installation in
            let ended = try await installation.millrace("check", environment: Self.noServers)
            #expect(ended.code == 78)
            #expect(ended.output == "")
            let places = [
                "config/millrace.yaml:3:14: ", "config/millrace.yaml:4:27: ", "config/models/product.yaml:3:9: ", "config/models/product.yaml:5:14: ",
                "jobs/drain.yaml:3:7: ",
            ]
            for place in places { #expect(ended.errors.contains(place), "\(place) in \(ended.errors)") }
            for word in ["partitions", "product", "$set"] { #expect(ended.errors.contains("did you mean \"\(word)\"?"), "\(word) in \(ended.errors)") }

            let commands = [
                ["drain", "--once"], ["run"], ["status"], ["get", "product", "a"], ["push", "product"], ["events", "product"],
            ]
            for arguments in commands {
                let other = try await installation.start(arguments, environment: Self.noServers).ended()
                #expect(other.code == 78, "\(arguments)")
                #expect(other.errors == ended.errors, "\(arguments)")
                #expect(other.output == "", "\(arguments)")
            }
        }
    }

    @Test func `problems are told to machines as well`() async throws {
        let files = ["config/models/product.yaml": "version: 1\nmodel: product\nstream: prodct\nfold: { renamed: { $set: { name: $data.name } } }\n"]
        try await Installation.run(files) { installation in
            let document = try await installation.json("check", code: 78)
            #expect(
                document["problems"] == [
                    [
                        "file": "config/models/product.yaml", "line": 3, "column": 9, "problem": "unknown-name",
                        "message": "unknown stream \"prodct\"", "suggestion": "did you mean \"product\"?",
                    ]
                ], "\(document)")
        }
    }

    @Test func `online, good servers are good`() async throws {
        try await Installation.run(partitions: 2) { installation in
            let fresh = try await installation.json("check", "--online")
            #expect(fresh["servers"] == [], "\(fresh)")
            #expect(try await installation.documents("millrace.meta").isEmpty, "looking makes nothing")
            try await installation.drain([EventText("e-1", "stockAdjusted", data: ["delta": 1])])
            let used = try await installation.json("check", "--online")
            #expect(used["servers"] == fresh["servers"])
        }
    }

    @Test func `online, what a worker would stumble over is found`() async throws {
        try await Installation.run(partitions: 2) { installation in
            try await installation.drain([EventText("e-1", "stockAdjusted", data: ["delta": 1])])
            _ = try await installation.redis("SET", installation.list(1), "no list")
            _ = try await installation.redis("RPUSH", installation.list(0) + ":cuts2", "not Millrace's")
            try await installation.command(["dropIndexes": "millrace.log", "index": "keys"])
            try await installation.command(["createIndexes": "product@1", "indexes": [["key": ["stock": 1], "name": "by hand"]]])
            let ended = try await installation.millrace("check", "--online")
            #expect(ended.code == 78, "\(ended.output)")
            for part in [
                "\(installation.list(1))  refused", "wrong-type", "holds a string, and Millrace keeps a list there", "millrace.log lacks the index keys",
                "product@1 has an index by hand that Millrace does not know",
            ] { #expect(ended.output.contains(part), "\(part) in \(ended.output)") }
            _ = try await installation.redis("DEL", installation.list(1))

            _ = try await installation.redis("SET", installation.list(0) + ":owner", "somebody-else")
            let owned = try await installation.json("check", "--online", code: 78)
            let other = owned["servers"]?.asArray?.compactMap(\.asDocument).first { $0["kind"] == "refused" }
            #expect(other?["problem"] == "other-installation" && other?["subject"] == .string(installation.list(0)), "\(owned)")
            _ = try await installation.redis("DEL", installation.list(0) + ":owner")

            let settings = "version: 1\nstreams: { product: { list: \"\(installation.name):{product}\", partitions: 3 } }\n"
            try installation.write("config/millrace.yaml", settings)
            let moved = try await installation.millrace("check", "--online")
            #expect(moved.code == 78 && moved.output.contains("partitions-changed"), "\(moved.output)")
        }
    }

    @Test func `online, servers have to be there`() async throws {
        try await Installation.run { installation in
            let ended = try await installation.millrace("check", "--online", environment: ["MILLRACE_REDIS_URL": "redis://127.0.0.1:1"])
            #expect(ended.code == 69 && ended.output.contains("redis   unreachable  server-unreachable"), "\(ended.output)")
        }
    }

    @Test func `files can be elsewhere, and have to be there`() async throws {
        try await Installation.run { installation in
            let missing = try await installation.millrace("check", "--config", "nowhere")
            #expect(missing.code == 78)
            #expect(missing.errors.contains("nowhere/millrace.yaml"))
            try installation.write("elsewhere/millrace.yaml", "version: 1\nstreams: { product: , other: }\n")
            try installation.write("elsewhere/models/product.yaml", Installation.model)
            let there = try await installation.millrace("check", "--config", "elsewhere", "--jobs", "elsewhere/jobs")
            #expect(there.code == 0, "\(there.errors)")
            #expect(there.output.contains("good: 2 streams, 1 models, 0 jobs"))
        }
    }

    @Test func `a password in a wrong URL is not told`() async throws {
        try await Installation.run { installation in
            for (variable, url) in [("MILLRACE_REDIS_URL", "rediss://somebody:secret@host"), ("MILLRACE_MONGODB_URL", "mongo://somebody:secret@host")] {
                let ended = try await installation.millrace("check", environment: [variable: url])
                #expect(ended.code == 78)
                #expect(ended.errors.contains(variable) && !ended.errors.contains("secret"), "\(ended.errors)")
            }
        }
    }
}
