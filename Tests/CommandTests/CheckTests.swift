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
                ["drain", "--once"], ["run"], ["status"], ["get", "product", "a"], ["push", "product"], ["events", "product"], ["check", "--json"],
            ]
            for arguments in commands {
                let other = try await installation.start(arguments, environment: Self.noServers).ended()
                #expect(other.code == 78, "\(arguments)")
                #expect(other.errors == ended.errors, "\(arguments)")
                #expect(other.output == "", "\(arguments)")
            }
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
