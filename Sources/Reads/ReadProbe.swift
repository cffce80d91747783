import Events

/// Finds out whether anything can be read.
public final class ReadProbe: Sendable {
    private let views: Moment<Void>

    /// - Parameter connection: that is used for nothing else.
    public init(_ site: ReadSite, connection: any ReadConnection) {
        views = Moment {
            try await site.read(
                at: .secondary(maxStaleness: .seconds(86_400)), viewSince: .now, isGiven: false, on: connection, until: .now + ReadSite.attemptLimit * 2
            ) { view, _ in ((), view.operationTime) }
        }
    }

    /// Why nothing can be read from any server; nil where it can.
    public func fault() async -> String? {
        do {
            try await views.next()
            return nil
        } catch let failure as ReadFailure {
            return failure.fault
        } catch {
            return "\(error)"
        }
    }
}

extension ReadFailure {
    fileprivate var fault: String {
        switch self {
        case .resting: "no server of MongoDB was well a moment ago"
        case .late: "no server of MongoDB answered in time"
        case .unavailable(let why): why
        case .overloaded: "too much is being read"
        case .refused(let refusal): refusal.message
        }
    }
}
