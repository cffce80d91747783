import Testing
import Values

/// A server that is not there is said so in one clear line and soon, without anybody's password.
@Suite(.serialized) struct UnreachableTests {
    /// Nothing listens on port 1.
    private static let noRedis = ["MILLRACE_REDIS_URL": "redis://somebody:secret@127.0.0.1:1/0"]
    private static let noMongoDB = ["MILLRACE_MONGODB_URL": "mongodb://somebody:secret@127.0.0.1:1,127.0.0.1:2/?replicaSet=rs0"]

    /// Runs the commands side by side: each waits for its server a while.
    private func expect(_ commands: [[String]], _ environment: [String: String], says words: String...) async throws {
        try await Installation.run { installation in
            let start = ContinuousClock.now
            let children = try commands.map { (arguments: $0, child: try installation.start($0, environment: environment, input: "{}\n")) }
            for (arguments, child) in children {
                let ended = try await child.ended()
                #expect(ended.code == 69, "\(arguments): \(ended.errors)")
                #expect(ended.output == "", "\(arguments)")
                let complaints = ended.errors.split(separator: "\n").filter { $0.hasPrefix("millrace: ") }
                #expect(complaints.count == 1, "\(arguments): \(ended.errors)")
                for word in words { #expect(complaints.first?.contains(word) == true, "\(arguments): \(ended.errors)") }
                #expect(!ended.errors.contains("secret"), "\(arguments): \(ended.errors)")
            }
            #expect(ContinuousClock.now - start < .seconds(60))
        }
    }

    @Test func `Redis is down`() async throws {
        try await expect([["push", "product"], ["status"], ["drain", "--once"], ["run"]], Self.noRedis, says: "server-unreachable", "redis", "127.0.0.1:1")
    }

    @Test func `MongoDB is down`() async throws {
        try await expect(
            [["get", "product", "p-1"], ["status"], ["events", "product"], ["drain", "--once"], ["run"]], Self.noMongoDB,
            says: "server-unreachable", "MongoDB", "127.0.0.1:1", "is the replica set up")
    }

    @Test func `a user whom a server does not know is not a server that is down`() async throws {
        try await Installation.run { installation in
            let url = installation.mongodb.replacing("mongodb://", with: "mongodb://somebody:secret@")
            let mongodb = try await installation.millrace("status", environment: ["MILLRACE_MONGODB_URL": url])
            #expect(mongodb.code == 78)
            #expect(mongodb.errors.contains("check user, password and roles"))
            let redis = try await installation.millrace(
                "push", "product", environment: ["MILLRACE_REDIS_URL": installation.redis.replacing("redis://", with: "redis://somebody:secret@")],
                input: "{}\n")
            #expect(redis.code == 78)
            #expect(redis.errors.contains("correct user and password"))
            #expect(!(mongodb.errors + redis.errors).contains("secret"))
        }
    }
}
