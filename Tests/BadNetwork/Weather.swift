/// What a network does to everything on it.
public struct Weather: Sendable {
    /// What becomes of bytes in one direction.
    public enum Flow: Sendable {
        case open
        /// They arrive when the weather has changed: packets are lost and sent again.
        case stalled
        /// They never arrive, and nothing on this connection ever will: the other side has gone without a word.
        case lost
    }

    /// Before each piece is passed on, and as much again at random.
    public var latency: Duration
    /// Bytes passed on at once.
    public var slice: Int?
    public var toServer: Flow
    public var toClient: Flow
    /// New connections are turned away.
    public var refuses: Bool

    public init(latency: Duration = .zero, slice: Int? = nil, toServer: Flow = .open, toClient: Flow = .open, refuses: Bool = false) {
        self.latency = latency
        self.slice = slice
        self.toServer = toServer
        self.toClient = toClient
        self.refuses = refuses
    }

    public static let fair = Weather()
    /// Nothing arrives for a while.
    public static let stalled = Weather(toServer: .stalled, toClient: .stalled)
    /// Whoever is connected, or connects, never hears of the other side again.
    public static let silent = Weather(toServer: .lost, toClient: .lost)

    func flow(_ direction: Direction) -> Flow {
        switch direction {
        case .toServer: toServer
        case .toClient: toClient
        }
    }
}

enum Direction {
    case toServer
    case toClient
}

/// Whose connections are meant.
public enum Scope: Hashable, Sendable {
    case everybody
    /// Of the MongoDB clients that call themselves so.
    case application(String)
    /// Of MongoDB's members among themselves, who have no such name.
    case members
}

/// What becomes of one request.
public enum Fate: Sendable {
    case pass
    /// It takes effect, and the connection is lost after so many bytes of its reply.
    case cutReply(after: Int)
    /// The connection is lost, and the request stays on its way until `deliver`.
    case hold
    /// It waits until `deliver`, on an open connection.
    case wait
    /// The connection is lost before it arrives.
    case drop

    /// It takes effect, and nobody hears of it.
    public static let loseReply = Fate.cutReply(after: 0)
}
