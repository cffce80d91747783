import Synchronization

/// The tokens that there are, as they were read a moment ago.
public final class TokenBook: Sendable {
    private struct State {
        var tokens: [[UInt8]: AccessToken] = [:]
        /// MongoDB's clock when they were read, and this process's.
        var read: (clock: Int64, at: ContinuousClock.Instant)?
    }

    /// How long a token that was revoked or made can go unnoticed, where MongoDB answers.
    public static let refresh = Duration.seconds(2)

    private let state = Mutex(State())
    private let load: @Sendable () async throws -> (tokens: [AccessToken], clock: Int64)
    private let looking = Mutex<Repetition?>(nil)

    public init(_ load: @escaping @Sendable () async throws -> (tokens: [AccessToken], clock: Int64)) { self.load = load }

    /// Reads them, and from then on again and again. Where that fails, those that are known count on; while none are, nobody is let in.
    public func open() async {
        try? await look()
        looking.withLock { $0 = Repetition(every: Self.refresh, for: self) { try? await $0.look() } }
    }

    private func look() async throws {
        let (tokens, clock) = try await load()
        let known = Dictionary(tokens.map { ($0.hash, $0) }) { first, _ in first }
        state.withLock { $0 = State(tokens: known, read: (clock, .now)) }
    }

    /// Whether nobody has ever made one: then whoever is on this machine may read. nil where that could not be read yet.
    public var isEmpty: Bool? { state.withLock { state in state.read.map { _ in state.tokens.isEmpty } } }

    /// The token that a text is, if it is one that is valid now. Found by its hash, whose first bytes tell a guesser nothing.
    public func token(_ text: String) -> AccessToken? {
        guard TokenText.isWellFormed(text) else { return nil }
        let hash = TokenText.hash(of: text)
        return state.withLock { state in
            guard let token = state.tokens[hash], let read = state.read else { return nil }
            return token.isValid(at: read.clock + Int64((ContinuousClock.now - read.at) / .milliseconds(1))) ? token : nil
        }
    }
}
