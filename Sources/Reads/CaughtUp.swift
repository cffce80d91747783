import Events
import Projector

/// What answers to readers of their own writes need of the write side.
public protocol WriteSide: Sendable {
    /// The list of a partition; nil for one that is not in the configuration.
    func list(of partition: PartitionID) -> String?

    /// What must be complete for everything pushed so far to be applied (rule 11).
    func token(of partition: PartitionID) async throws -> BufferToken

    /// The streams that nobody drains, because somebody has paused what does.
    func pausedStreams() async throws -> Set<String>
}

/// Waits until everything that was pushed before has taken effect.
public final class CaughtUp: Sendable {
    public enum Outcome: Hashable, Sendable {
        /// What is read at this time or later holds it.
        case reached(OperationTime)
        case notReached(Reason, lag: Int64)
    }

    /// Why it was not reached. All but the first are told at once: waiting would not help.
    public enum Reason: Hashable, Sendable {
        case late
        /// Somebody has paused what drains the stream.
        case paused
        /// The model is stopped until somebody acts.
        case stopped
        /// Redis came back as another, and what it held may be lost.
        case rewound
        /// Redis or MongoDB did not say.
        case unknown(String)
    }

    private let writeSide: any WriteSide
    private let views: Moment<ServerView>
    private let paused: Moment<Set<String>>
    private let tokens: [PartitionID: Moment<BufferToken>]

    /// Between two looks at the checkpoints.
    private static let poll = Duration.milliseconds(10)
    private static let electionPoll = Duration.milliseconds(100)
    /// Looks between two questions whether somebody has paused the drain.
    private static let looksPerPauseCheck = 20

    /// - Parameter connection: that is used for nothing else.
    public init(_ site: ReadSite, connection: any ReadConnection, _ writeSide: any WriteSide, partitions: [PartitionID]) {
        self.writeSide = writeSide
        views = Moment {
            try await site.read(at: .primary, viewSince: .now, isGiven: false, on: connection, until: .now + ReadSite.attemptLimit) { view, _ in
                (view, view.operationTime)
            }
        }
        paused = Moment { try await writeSide.pausedStreams() }
        tokens = Dictionary(uniqueKeysWithValues: partitions.map { partition in (partition, Moment { try await writeSide.token(of: partition) }) })
    }

    public func wait(for model: ReadModel, _ partitions: [PartitionID], until deadline: ContinuousClock.Instant) async -> Outcome {
        var lag: Int64 = 0
        do {
            var needed: [PartitionID: BufferToken] = [:]
            for partition in partitions { needed[partition] = try await tokens[partition]?.next() }
            for look in 0... {
                let view: ServerView
                do {
                    view = try await views.next()
                } catch let failure as ReadFailure {
                    // Without a primary for a moment, another is elected: that is waited for like everything else.
                    guard .now + Self.electionPoll < deadline else { return .notReached(.unknown("\(failure)"), lag: lag) }
                    try await Task.sleep(for: Self.electionPoll)
                    continue
                }
                guard let build = view.live[model.name] else { return .notReached(.unknown("\(model.name) has no build yet"), lag: 0) }
                lag = partitions.map { view.lag(of: build, $0) }.max() ?? 0
                let behind = partitions.filter { !isComplete($0, needed[$0], in: view.checkpoint(of: build, $0)) }
                if behind.isEmpty { return .reached(view.operationTime) }
                if behind.contains(where: { view.checkpoint(of: build, $0)?.stopped != nil }) { return .notReached(.stopped, lag: lag) }
                if look % Self.looksPerPauseCheck == 0 {
                    if try await paused.next().contains(model.stream) { return .notReached(.paused, lag: lag) }
                    for partition in behind where try await tokens[partition]?.next().run != needed[partition]?.run { return .notReached(.rewound, lag: lag) }
                }
                guard .now + Self.poll < deadline else { break }
                try await Task.sleep(for: Self.poll)
            }
            return .notReached(.late, lag: lag)
        } catch {
            return .notReached(.unknown("\(error)"), lag: lag)
        }
    }

    private func isComplete(_ partition: PartitionID, _ token: BufferToken?, in checkpoint: Checkpoint?) -> Bool {
        guard let token, let list = writeSide.list(of: partition) else { return false }
        return checkpoint?.complete.contains { $0.list == list && $0.token.run == token.run && $0.token.cuts >= token.cuts } ?? false
    }
}
