import Events
import Projector
import Synchronization

/// What this process knows of the servers that it reads from, for all of its reads.
public final class ReadSite: Sendable {
    private struct State {
        var choice = ServerChoice()
        var breaker = CircuitBreaker()
        /// Of what only the primary can answer: without one, secondaries are well.
        var primaryBreaker = CircuitBreaker()
        var servers: (list: [ReadServer], asked: ContinuousClock.Instant)?
        var views: [String: ServerView] = [:]
        /// The highest that any of them has had.
        var revision: Int64 = 0
        /// What the newest answer that was given holds.
        var given: OperationTime?
    }

    private let state = Mutex(State())
    private let partitions: [PartitionID]
    /// By model.
    let caches: [String: ReadCache]

    /// How old what is known of a server may be: positions are told by it, and a switch to another build is seen.
    public static let viewAge = Duration.milliseconds(100)
    private static let serversAge = Duration.milliseconds(100)
    /// How long one attempt at one server may take, where another could be asked.
    static let attemptLimit = Duration.milliseconds(500)

    /// - Parameters:
    ///   - partitions: of all models that are read.
    ///   - caches: by model.
    public init(partitions: [PartitionID], caches: [String: ReadCache] = [:]) {
        self.partitions = partitions
        self.caches = caches
    }

    /// What was given by another is not to be older here.
    public func goOn(from other: ReadSite) {
        let (given, revision) = other.state.withLock { ($0.given, $0.revision) }
        state.withLock { state in
            state.given = [state.given, given].compactMap(\.self).max()
            state.revision = max(state.revision, revision)
        }
    }

    /// What the caches did, by model.
    public var cacheCounts: [String: ReadCache.Counts] { caches.mapValues(\.counts) }

    /// Whether nobody is asked for the moment.
    public func isResting(at place: ReadPlace) -> Bool {
        state.withLock { place == .primary ? $0.primaryBreaker.state : $0.breaker.state } != .closed
    }

    /// Reads until it succeeds, another server after one that fails, or until the deadline.
    ///
    /// What is read is never older than what was given before the read began.
    ///
    /// - Parameters:
    ///   - isGiven: whether somebody is told what was read.
    ///   - time: the view is not older than this.
    ///   - limit: how long an attempt may take that is not made again elsewhere; nil for the usual.
    ///   - body: reads; the view is of the same server, and older.
    func read<Answer>(
        at place: ReadPlace, after: OperationTime? = nil, viewSince time: ContinuousClock.Instant? = nil, isGiven: Bool = true,
        limit: Duration? = nil, on connection: some ReadConnection, until deadline: ContinuousClock.Instant,
        _ body: (ServerView, ReadAttempt) async throws -> (answer: Answer, operationTime: OperationTime)
    ) async throws(ReadFailure) -> Answer {
        let breaker = place == .primary ? \State.primaryBreaker : \State.breaker
        while true {
            let began = ContinuousClock.now
            guard began < deadline else { throw .late }
            guard state.withLock({ $0[keyPath: breaker].admits(at: began) }) else { throw resting(breaker, at: began) }
            let servers = await known(for: place, on: connection)
            let now = ContinuousClock.now
            guard let server = state.withLock({ $0.choice.server(for: place, among: servers, at: now) }) else {
                state.withLock { $0[keyPath: breaker].ended(well: false, after: now - began, at: now) }
                forgetServers()
                continue
            }
            // On the server that gave the newest answer this costs nothing, and after its restart even that may be behind.
            let floor = [state.withLock(\.given), after].compactMap(\.self).max()
            let attempt = ReadAttempt(server: server, after: floor, limit: min(limit ?? Self.attemptLimit, max(.milliseconds(1), deadline - now)))
            var isWell = true
            defer {
                let (ended, isWell) = (ContinuousClock.now, isWell)
                state.withLock { $0[keyPath: breaker].ended(well: isWell, after: limit == nil ? ended - now : .zero, at: ended) }
            }
            do {
                let view = try await view(of: attempt, since: max(time ?? now - Self.viewAge, now - Self.viewAge), on: connection)
                let (answer, operationTime) = try await body(view, attempt)
                state.withLock { state in
                    state.choice.succeeded(server)
                    if isGiven { state.given = max(operationTime, state.given ?? operationTime) }
                }
                return answer
            } catch let failure as ReadFailure {
                throw failure
            } catch let failure as any StoreFailure {
                guard failure.isRetriable else { throw .refused(Refusal(failure.problem, "\(failure)")) }
                isWell = false
                state.withLock { $0.choice.failed(server, at: .now) }
                forgetServers()
            } catch {
                throw .refused((error as? Refusal) ?? Refusal(.bug, "\(error)"))
            }
        }
    }

    private func known(for place: ReadPlace, on connection: some ReadConnection) async -> [ReadServer] {
        let now = ContinuousClock.now
        if let servers = state.withLock(\.servers), now - servers.asked < Self.serversAge, place != .primary || servers.list.contains(where: \.isPrimary) {
            return servers.list
        }
        let found = await connection.servers(for: place)
        state.withLock { $0.servers = found.isEmpty ? nil : (found, now) }
        return found
    }

    private func forgetServers() { state.withLock { $0.servers = nil } }

    private func view(of attempt: ReadAttempt, since time: ContinuousClock.Instant, on connection: some ReadConnection) async throws -> ServerView {
        // One that does not know of a switch that another server has told of would lead back to the build that readers have left.
        let known = state.withLock { state in state.views[attempt.server.name].flatMap { view in view.revision >= state.revision ? view : nil } }
        if let known, known.taken >= time { return known }
        let view = try await connection.view(of: partitions, attempt)
        state.withLock { state in
            state.revision = max(state.revision, view.revision)
            guard state.views[attempt.server.name].map({ $0.taken < view.taken }) ?? true else { return }
            state.views[attempt.server.name] = view
        }
        return view
    }

    private func resting(_ breaker: WritableKeyPath<State, CircuitBreaker>, at now: ContinuousClock.Instant) -> ReadFailure {
        if case .open(let until) = state.withLock({ $0[keyPath: breaker].state }) { return .resting(max(.milliseconds(100), until - now)) }
        return .resting(.milliseconds(100))
    }
}
