import Values

extension Place {
    /// Whether every model's checkpoint has reached an offset.
    func checkpoints(_ stream: String = "trace", reach offset: Int) async throws -> Bool {
        let reached = try await mongo.checkpoints(stream)
        let models = streams.first { $0.name == stream }?.models.count ?? 0
        return reached.count == models && reached.allSatisfy { $0 >= offset }
    }

    /// What a worker that has just been killed or frozen left unfinished.
    struct Unfinished: OptionSet, Hashable, Sendable {
        let rawValue: Int

        /// A segment is in Redis.
        static let segment = Unfinished(rawValue: 1)
        /// The log's end is above a checkpoint: something was appended, and has not taken effect.
        static let commit = Unfinished(rawValue: 2)
    }

    /// Asked until it stands still: what the worker had sent may still arrive.
    func unfinished(_ stream: String = "trace") async throws -> Unfinished {
        var before: [Int]?
        return try await eventually("what was under way has arrived") {
            let hasSegment = try await redis.exists(list(stream) + ":segment")
            let tail = try await mongo.tail(stream)
            let checkpoints = try await mongo.checkpoints(stream)
            let now = [hasSegment ? 1 : 0, tail] + checkpoints
            defer { before = now }
            guard before == now else { return nil }
            var found = Unfinished()
            if hasSegment { found.insert(.segment) }
            if checkpoints.contains(where: { $0 < tail }) || checkpoints.isEmpty && tail > 0 { found.insert(.commit) }
            return found
        }
    }
}
