import Events

/// What a store's error means for whoever called it.
public protocol StoreFailure: Error, CustomStringConvertible {
    /// True for faults of servers and networks, which pass: hold and retry. False where a person must act.
    var isRetriable: Bool { get }
    var problem: Problem { get }
}

/// What to do about an error of a running partition.
public enum Disposition: Equatable, Sendable {
    /// Forget what is in memory, wait, and go on from what is stored.
    case retry
    /// Stop this partition until somebody acts; the others go on.
    case stop

    /// Data errors never get here: they are parked. So everything that is not known to need a person is retried.
    public static func of(_ error: any Error) -> Disposition {
        switch error {
        case let failure as any StoreFailure: failure.isRetriable ? .retry : .stop
        case is ChunkError, is Refusal: .stop
        default: .retry
        }
    }
}
