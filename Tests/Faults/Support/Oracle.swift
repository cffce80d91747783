import Foundation
import Testing

extension Place {
    /// Runs a Python program of the package.
    func python(_ script: String, _ arguments: [String]) throws -> Child {
        try Child("/usr/bin/env", ["python3", Root.path(script)] + arguments, files: directory)
    }

    /// What the oracle says of a model's documents and its stream's log.
    func judge(_ model: String, of stream: Stream, log: URL, _ journals: [URL], maxEventBytes: Int = 1 << 20) async throws -> Verdict {
        let ended = try await python(
            "Tests/oracle/oracle.py",
            [
                "--mongo", servers.mongodb, "--db", database, "--model", model, "--rules", stream.model.rawValue, "--log", log.path,
                "--partitions", "\(stream.partitions)", "--max-event-bytes", "\(maxEventBytes)",
            ] + journals.flatMap { ["--journal", $0.path] }
        ).ended(within: .seconds(120))
        guard let verdict = try? JSONDecoder().decode(Verdict.self, from: Data(ended.output.utf8)) else { throw Failure("oracle: \(ended.summary)") }
        return verdict
    }

    /// Everything is applied, and every document and the whole log are what the journals make: nothing lost, nothing
    /// doubled, in order; and what `status` counts agrees with it.
    ///
    /// - Parameter refused: elements that were pushed, are no events, and are not in the journals.
    @discardableResult
    func expectAllWell(
        _ stream: String = "trace", _ journals: URL..., maxEventBytes: Int = 1 << 20, refused besides: Int = 0, comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Verdict {
        guard let settings = streams.first(where: { $0.name == stream }) else { throw Failure("there is no stream \(stream)") }
        let log = try await log(of: stream)
        var last: Verdict?
        for model in settings.models {
            let verdict = try await judge(model, of: settings, log: log, journals, maxEventBytes: maxEventBytes)
            let faults = [verdict.lost, verdict.doubled, verdict.reordered, verdict.different]
            #expect(
                faults == [0, 0, 0, 0], "\(comment?.rawValue ?? "") \(model): lost, doubled, reordered, different: \(verdict.examples)",
                sourceLocation: sourceLocation)
            last = verdict
        }
        guard let verdict = last else { throw Failure("\(stream) has no model") }
        let status = try await status()
        let (events, refused, duplicates) = (verdict.log["event"] ?? 0, verdict.log["refused"] ?? 0, verdict.log["duplicate"] ?? 0)
        #expect(events == verdict.events, comment, sourceLocation: sourceLocation)
        #expect(refused == verdict.refused + besides, comment, sourceLocation: sourceLocation)
        let counted = status.streams[stream]
        #expect([counted?.waiting, counted?.inSegment] == [0, 0], comment, sourceLocation: sourceLocation)
        #expect(counted?.received == events + refused + duplicates, comment, sourceLocation: sourceLocation)
        #expect(counted?.logged == events + refused, comment, sourceLocation: sourceLocation)
        #expect(counted?.duplicates == duplicates, comment, sourceLocation: sourceLocation)
        #expect(counted?.undecodable == refused, comment, sourceLocation: sourceLocation)
        for model in settings.models { #expect(status.models[model]?.lag == 0, "\(comment?.rawValue ?? "") \(model)", sourceLocation: sourceLocation) }
        return verdict
    }

    /// Starts Tests/oracle/producer.py on the place's list: it keeps pushing, and keeps a journal, until it is stopped.
    func produce(rate: Int, keys: Int = 200, seed: UInt64, journal: URL, stream: String = "trace") throws -> Child {
        try python(
            "Tests/oracle/producer.py",
            [
                "--redis", servers.redis, "--list", list(stream), "--journal", journal.path, "--keys", "\(keys)", "--rate", "\(rate)",
                "--seconds", "3600", "--seed", "\(seed)",
            ]
        )
    }

    /// Stops a producer once Redis has acknowledged everything, and gives its tally.
    func finish(_ producer: Child) async throws -> ProducerTally {
        let ended = try await producer.stop(within: .seconds(70))
        guard ended.cause == .exit(0) else { throw Failure("producer: \(ended.summary)") }
        return try JSONDecoder().decode(ProducerTally.self, from: Data(ended.output.utf8))
    }
}

/// What producer.py prints.
struct ProducerTally: Decodable, Sendable {
    var events, resent, retried, acknowledged, errors: Int
}
