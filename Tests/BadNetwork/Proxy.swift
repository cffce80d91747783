import Foundation
import Synchronization

/// Stands between clients and one server on loopback, and makes the network between them as bad as a test wants it:
/// latency, stalls, resets, slices, silence, and single requests that are held or whose replies are lost.
///
/// Each connection has two threads of its own, because the calls block.
public final class Proxy: Sendable {
    private struct Rule {
        var fates: [Fate]
        var last: Fate
        var commands: Set<String>
        var scope: Scope
    }

    private struct State {
        var weather: [(scope: Scope, weather: Weather)] = []
        var rules: [Rule] = []
        var seen = 0
        var held: [Held] = []
        var links: [WeakLink] = []
    }

    /// A request on its way.
    private struct Held {
        var deliver: @Sendable () -> Void
        /// Lets go of whoever waits for it.
        var release: @Sendable () -> Void = {}
    }

    private struct WeakLink {
        weak var link: Link?
    }

    public let port: Int
    private let wire: Wire
    private let listener: Int32
    private let target: @Sendable () -> Int?
    private let state = Mutex(State())

    /// - Parameter target: the server's port, asked for each connection; nil for a server that is not there.
    public init(_ wire: Wire, to target: @escaping @Sendable () -> Int?) throws {
        self.wire = wire
        self.target = target
        (listener, port) = try Sockets.listen()
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                Sockets.sendAtOnce(client)
                // Not here: a server that does not answer must not keep the others waiting.
                Thread.detachNewThread { [self] in connect(client) }
            }
            close(listener)
        }
    }

    public convenience init(_ wire: Wire, to port: Int) throws { try self.init(wire) { port } }

    /// Takes no more connections, and ends those that are there.
    public func stop() {
        Sockets.end(listener)
        clear()
        for link in links(.everybody) { link.end() }
    }

    // MARK: What a test says

    /// What the network does to these connections from now on, also to those that are there.
    public func set(_ weather: Weather, for scope: Scope = .everybody) {
        state.withLock { state in
            state.weather.removeAll { $0.scope == scope }
            state.weather.append((scope, weather))
        }
    }

    /// What becomes of the next requests that carry one of these commands, and of all after them that are not named.
    public func expect(_ fates: [Fate], then last: Fate = .pass, of commands: String..., from scope: Scope = .everybody) {
        expect(fates, then: last, of: commands, from: scope)
    }

    public func expect(_ fates: [Fate], then last: Fate = .pass, of commands: [String], from scope: Scope) {
        state.withLock { $0.rules = [Rule(fates: fates, last: last, commands: Set(commands), scope: scope)] + $0.rules }
    }

    /// Everything passes again, also what waits on an open connection; what was held without one never arrives.
    public func clear() {
        let held = state.withLock { state in
            defer { state.held = [] }
            state.weather = []
            state.rules = []
            return state.held
        }
        for request in held { request.release() }
    }

    public func reset(_ scope: Scope = .everybody) {
        for link in links(scope) { link.reset() }
    }

    /// From now on nothing arrives on the connections that are there: the other side has gone without a word.
    public func silence(_ scope: Scope = .everybody) {
        for link in links(scope) { link.silence() }
    }

    /// Says to clients that nothing more will come, and goes on taking what they send.
    public func halfClose(_ scope: Scope = .everybody) {
        for link in links(scope) { shutdown(link.client, Int32(SHUT_WR)) }
    }

    /// Requests that a rule has met, and those of them that are on their way.
    public var seen: Int { state.withLock { $0.seen } }
    public var held: Int { state.withLock { $0.held.count } }

    /// Lets requests that are on their way arrive, the oldest first; one without a connection is waited for until
    /// it is answered.
    public func deliver(_ count: Int = .max) {
        let due = state.withLock { state in
            let due = Array(state.held.prefix(count))
            state.held.removeFirst(due.count)
            return due
        }
        for request in due { request.deliver() }
    }

    private func links(_ scope: Scope) -> [Link] {
        state.withLock { $0.links.compactMap(\.link) }.filter { $0.isOf(scope) }
    }

    private func weather(of link: Link) -> Weather {
        state.withLock { $0.weather }.last { link.isOf($0.scope) }?.weather ?? .fair
    }

    private func fate(of request: Request, on link: Link) -> Fate {
        state.withLock { state in
            guard let place = state.rules.firstIndex(where: { $0.commands.contains(request.command) && link.isOf($0.scope) }) else { return .pass }
            state.seen += 1
            return state.rules[place].fates.isEmpty ? state.rules[place].last : state.rules[place].fates.removeFirst()
        }
    }

    // MARK: Connections

    private func connect(_ client: Int32) {
        let refuses = state.withLock { $0.weather.contains { $0.scope == .everybody && $0.weather.refuses } }
        guard !refuses, let port = target(), let server = Sockets.connect(to: port) else {
            Sockets.reset(client)
            close(client)
            return
        }
        let link = Link(client: client, server: server)
        state.withLock { state in
            state.links.removeAll { $0.link == nil }
            state.links.append(WeakLink(link: link))
        }
        Thread.detachNewThread { [self] in answer(link) }
        ask(link)
    }

    /// Client to server.
    private func ask(_ link: Link) {
        var requests = RequestReader(wire, link.client)
        var isFirst = true
        while let request = requests.next() {
            if isFirst, wire == .mongodb { link.learn(from: request.bytes) }
            // Whose connection it is, is known only now.
            if isFirst, weather(of: link).refuses {
                link.reset()
                return
            }
            isFirst = false
            guard pass(request, link) else { return }
        }
        link.end()
    }

    /// False where the connection is lost, or the request is still on its way.
    private func pass(_ request: Request, _ link: Link) -> Bool {
        switch fate(of: request, on: link) {
        case .pass: break
        case .cutReply(let bytes): link.cutReply(after: bytes)
        case .drop:
            link.reset()
            return false
        case .hold:
            link.cutReply(after: 0)
            hold(Held { if Sockets.send(request.bytes, to: link.server) { link.waitForAnswer() } })
            Sockets.end(link.client)
            return false
        case .wait:
            let gate = DispatchSemaphore(value: 0)
            hold(
                Held {
                    gate.signal()
                } release: {
                    gate.signal()
                })
            gate.wait()
        }
        return send(request.bytes, to: link.server, link, .toServer)
    }

    private func hold(_ request: Held) { state.withLock { $0.held.append(request) } }

    /// Server to client.
    private func answer(_ link: Link) {
        while let bytes = Sockets.receive(from: link.server) {
            let (admitted, isLast) = link.admit(bytes)
            guard send(admitted, to: link.client, link, .toClient), !isLast else { break }
        }
        Sockets.end(link.client)
        link.hasAnswered()
    }

    /// False where the connection has ended.
    private func send(_ bytes: [UInt8], to socket: Int32, _ link: Link, _ direction: Direction) -> Bool {
        guard link.passes(direction, { self.weather(of: link) }) else { return true }
        let weather = self.weather(of: link)
        if weather.latency > .zero { Thread.sleep(forTimeInterval: (weather.latency / .seconds(1)) * .random(in: 1...2)) }
        guard let slice = weather.slice else { return Sockets.send(bytes, to: socket) }
        var rest = bytes[...]
        while !rest.isEmpty {
            guard Sockets.send(rest.prefix(slice), to: socket) else { return false }
            rest = rest.dropFirst(slice)
        }
        return true
    }
}
