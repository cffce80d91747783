import Events

/// Why something was not read.
public enum ReadFailure: Error, Hashable, Sendable {
    /// Too many reads are under way or waiting.
    case overloaded
    /// MongoDB was not well a moment ago, and is left in peace until then.
    case resting(Duration)
    /// There was no answer in time.
    case late
    /// A server that alone has it did not answer.
    case unavailable(String)
    /// MongoDB answered with an error that trying again does not cure, or with something that cannot be read.
    case refused(Refusal)

    /// Whether it says that MongoDB did not answer, and nothing of what was asked.
    var isOfServers: Bool {
        switch self {
        case .resting, .late, .unavailable: true
        case .overloaded, .refused: false
        }
    }
}
