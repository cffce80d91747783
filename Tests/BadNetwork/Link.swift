import Foundation
import Synchronization

/// Both ends of one connection through the proxy, closed when nobody uses them any more.
final class Link: Sendable {
    private struct State {
        /// The bytes of a reply that still arrive; nil while all do.
        var replyLeft: Int?
        /// Nothing arrives any more in these directions.
        var lost: Set<Direction> = []
        var application: String?
        var isKnown = false
    }

    let client: Int32
    let server: Int32
    /// The server has answered a request whose reply is not passed on whole, or will not any more.
    private let answered = DispatchSemaphore(value: 0)
    private let state = Mutex(State())

    init(client: Int32, server: Int32) {
        self.client = client
        self.server = server
    }

    deinit {
        close(client)
        close(server)
    }

    func end() {
        Sockets.end(client)
        Sockets.end(server)
    }

    func reset() {
        Sockets.reset(client)
        Sockets.end(server)
    }

    func silence() { state.withLock { $0.lost = [.toServer, .toClient] } }

    func isOf(_ scope: Scope) -> Bool {
        state.withLock { state in
            switch scope {
            case .everybody: true
            case .application(let name): state.application == name
            case .members: state.isKnown && state.application == nil
            }
        }
    }

    /// A MongoDB client introduces itself in its first message, which has `application: {name: …}` if it has a name.
    func learn(from first: [UInt8]) {
        let mark = Array("application\0".utf8)
        let field = mark.count + 4 + 1 + "name\0".utf8.count
        var name: String?
        if let found = first.firstRange(of: mark), found.lowerBound + field + 4 < first.count {
            name = String(decoding: first[(found.lowerBound + field + 4)...].prefix { $0 != 0 }, as: UTF8.self)
        }
        state.withLock {
            $0.application = name
            $0.isKnown = true
        }
    }

    // MARK: Replies that do not arrive

    func cutReply(after bytes: Int) { state.withLock { $0.replyLeft = bytes } }

    func waitForAnswer() { answered.wait() }
    func hasAnswered() { answered.signal() }

    /// What of these bytes is passed on, and whether the connection is lost after them.
    func admit(_ bytes: [UInt8]) -> (bytes: [UInt8], isLast: Bool) {
        state.withLock { state in
            guard let left = state.replyLeft else { return (bytes, false) }
            state.replyLeft = max(0, left - bytes.count)
            return (Array(bytes.prefix(left)), bytes.count >= left)
        }
    }

    /// Waits out the weather in one direction. False where nothing will ever arrive again.
    func passes(_ direction: Direction, _ weather: () -> Weather) -> Bool {
        while !state.withLock({ $0.lost.contains(direction) }) {
            switch weather().flow(direction) {
            case .open: return true
            case .stalled: Thread.sleep(forTimeInterval: 0.005)
            case .lost: state.withLock { _ = $0.lost.insert(direction) }
            }
        }
        return false
    }
}
