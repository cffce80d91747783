import Events

/// What a person does about dead letters.
public enum LetterAction: String, Hashable, Sendable, CaseIterable {
    /// Lifts what was decided, and folds the documents again.
    case retry
    /// Decides that the events are ignored.
    case drop
    /// Takes a drop back.
    case restore

    /// Whether there is anything to be done about a letter.
    func concerns(_ letter: DeadLetter) -> Bool {
        switch self {
        case .retry: true
        case .drop: letter.decision != .dropped
        case .restore: letter.decision == .dropped
        }
    }

    /// What is decided about a letter's event afterwards.
    func decision(on letter: DeadLetter) -> Decision? {
        switch self {
        case .retry: nil
        case .drop: .dropped
        // Only a retry dares to fold again what killed workers.
        case .restore: letter.build != nil && letter.refusal.problem == .crashParked ? .crashParked : nil
        }
    }
}

/// What became of dead letters that something was done about.
public struct LetterOutcome: Hashable, Sendable {
    /// How many there were.
    public var letters = 0
    /// Their events are parked no more: they have taken effect, or are ignored.
    public var settled = 0
    /// They are dead letters still.
    public var parked = 0
    /// Of those, the ones that the fold itself gave the reason for, and nothing has changed.
    public var unchanged = 0
    /// Of those that are parked, elements that are no events: what they are was decided when they were logged.
    public var undecodable = 0
    /// Documents that are another now.
    public var documents = 0

    public init() {}

    public static func += (left: inout LetterOutcome, right: LetterOutcome) {
        left.letters += right.letters
        left.settled += right.settled
        left.parked += right.parked
        left.unchanged += right.unchanged
        left.undecodable += right.undecodable
        left.documents += right.documents
    }
}
