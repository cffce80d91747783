import Events
import HTTPTypes
import Hummingbird
import Reads
import Values

/// Where and from when on something is to be read.
struct ReadTime {
    var place: ReadPlace
    var after: OperationTime?
    var deadline: ContinuousClock.Instant
    var applied: [String] = []
    /// Where it was not reached, and that was allowed; or MongoDB gave no answer, and an earlier one was.
    var isStale = false

    /// What is said of it in an answer.
    ///
    /// - Parameters:
    ///   - lag: milliseconds.
    ///   - position: as it is written.
    func headers(lag: Int64, at position: String) -> HTTPFields {
        var headers: HTTPFields = [.lag: lag == 0 ? "0" : "\(Double(lag) / 1000)", .position: position]
        // With those of the answer itself.
        headers.reserveCapacity(12)
        if isStale { headers[.stale] = "true" }
        if !applied.isEmpty { headers[.preferenceApplied] = applied.joined(separator: ", ") }
        return headers
    }
}

extension ReadQuestion {
    /// Waits for what the request prefers to be there.
    func readTime(_ model: ReadModel, _ partitions: [PartitionID], allowsStale: Bool) async throws(HTTPProblem) -> ReadTime {
        let preferences = try ReadPreferences(request.headers)
        var time = ReadTime(place: model.place, deadline: .now + setup.deadline, applied: preferences.applied)
        guard preferences.consistency != .eventual else { return time }
        if let token, preferences.consistency > token.consistency {
            throw HTTPProblem(
                .forbidden, "the token is for consistency=\(token.consistency.rawValue)", hint: "ask for that, or make a token for more")
        }
        let began = ContinuousClock.now
        let outcome = await setup.caughtUp.wait(for: model, partitions, until: began + preferences.wait)
        // What was waited is not taken from the time for reading.
        time.deadline = .now + setup.deadline
        switch outcome {
        case .reached(let operationTime):
            metrics.waited(for: model.name, isReached: true, .now - began)
            time.after = operationTime
            if preferences.consistency == .strong { time.place = .primary }
        case .notReached(let reason, let lag):
            metrics.waited(for: model.name, isReached: false, .now - began)
            guard allowsStale else { throw Self.notCaughtUp(reason, lag, model, preferences) }
            (time.isStale, time.applied) = (true, [])
        }
        return time
    }

    private static func notCaughtUp(_ reason: CaughtUp.Reason, _ lag: Int64, _ model: ReadModel, _ preferences: ReadPreferences) -> HTTPProblem {
        let (word, detail) =
            switch reason {
            case .late: ("late", "what was pushed before the request was not applied within \(preferences.wait)")
            case .paused: ("paused", "somebody has paused the job that drains \(model.stream)")
            case .stopped: ("stopped", "\(model.name) is stopped until somebody acts: see millrace status")
            case .rewound: ("rewound", "Redis restarted, and what it held may not come back")
            case .unknown(let why): ("unknown", "whether everything was applied cannot be told: \(why)")
            }
        return HTTPProblem(
            .notCaughtUp, detail, hint: "ask again, or with stale=ok for what there is", retryAfter: 1,
            members: ["reason": .string(word), "lagSeconds": .double(Double(lag) / 1000)])
    }
}
