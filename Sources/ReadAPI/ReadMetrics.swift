import Events
import HTTPTypes
import Health
import Reads
import Synchronization
import Values

/// What was asked, and how long it took.
final class ReadMetrics: Sendable {
    private struct Key: Hashable {
        var route: String
        var method: String
        var status: Int
    }

    private struct WaitKey: Hashable {
        var model: String
        var isReached: Bool
    }

    private struct State {
        var requests: [Key: Histogram] = [:]
        var underWay = 0
        var waits: [WaitKey: Histogram] = [:]
    }

    private let state = Mutex(State())

    /// Seconds; those of OpenTelemetry's conventions for HTTP, and finer below, where most answers are.
    private static let durations = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    private static let waits = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    private static let methods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .delete, .options, .patch, .trace, .connect]

    func began() { state.withLock { $0.underWay += 1 } }

    /// - Parameter route: nil where the path is none.
    func ended(_ route: Route?, _ method: HTTPRequest.Method, _ status: HTTPResponse.Status, after time: Duration) {
        state.withLock { $0.underWay -= 1 }
        answered(route, method, status, after: time)
    }

    /// The same of a request that was never under way.
    func answered(_ route: Route?, _ method: HTTPRequest.Method, _ status: HTTPResponse.Status, after time: Duration) {
        let key = Key(route: route?.name ?? "", method: Self.methods.contains(method) ? method.rawValue : "_OTHER", status: status.code)
        state.withLock { $0.requests[key, default: Histogram(Self.durations)].record(time / .seconds(1)) }
    }

    func waited(for model: String, isReached: Bool, _ time: Duration) {
        state.withLock { $0.waits[WaitKey(model: model, isReached: isReached), default: Histogram(Self.waits)].record(time / .seconds(1)) }
    }

    func add(to exposition: inout Exposition) {
        let state = state.withLock(\.self)
        for (key, histogram) in state.requests.sorted(by: { ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status) }) {
            let labels = [("http_route", key.route), ("http_request_method", key.method), ("http_response_status_code", "\(key.status)")]
            exposition.add(.requestDuration, labels, histogram)
        }
        exposition.add(.requestsUnderWay, [:], Double(state.underWay))
        for (key, histogram) in state.waits.sorted(by: { ($0.key.model, $0.key.isReached ? 0 : 1) < ($1.key.model, $1.key.isReached ? 0 : 1) }) {
            exposition.add(.readWait, [("model", key.model), ("result", key.isReached ? "reached" : "not-reached")], histogram)
        }
    }
}

extension ReadSetup {
    func addMetrics(to exposition: inout Exposition) {
        for (model, counts) in site.cacheCounts.sorted(by: { $0.key < $1.key }) {
            for (result, count) in [("hit", counts.hits), ("miss", counts.misses), ("stale", counts.stale)] {
                exposition.add(.cacheLookups, ["model": model, "result": result], Double(count))
            }
            exposition.add(.cacheBytes, ["model": model], Double(counts.bytes))
        }
        for (name, place) in [("secondaries", ReadPlace.secondary(maxStaleness: .zero)), ("primary", .primary)] {
            exposition.add(.lookupsWaiting, ["at": name], Double(lookups(at: place).waiting))
            exposition.add(.breakerOpen, ["at": name], site.isResting(at: place) ? 1 : 0)
        }
    }
}
