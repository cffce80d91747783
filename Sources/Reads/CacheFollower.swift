import Events
import Projector
import Synchronization

/// Keeps the caches at the checkpoints, from what the log says between one look and the next, while they are used.
public final class CacheFollower: Sendable {
    private let site: ReadSite
    private let connection: any ReadConnection
    private let looking = Mutex<Repetition?>(nil)

    private static let pause = Duration.milliseconds(100)

    /// - Parameter connection: that is used for nothing else.
    public init(_ site: ReadSite, connection: any ReadConnection) {
        self.site = site
        self.connection = connection
    }

    public func open() {
        guard !site.caches.isEmpty else { return }
        looking.withLock { $0 = Repetition(every: Self.pause, for: self) { await $0.look() } }
    }

    /// Where it fails, what is cached counts as old until the next look.
    func look() async {
        let used = site.caches.values.filter { $0.isUsed(at: .now) }
        for (place, caches) in Dictionary(grouping: used, by: \.place) {
            // A look is many small reads, whose time together says nothing of the server.
            let (limit, now) = (ReadSite.attemptLimit, ContinuousClock.now)
            _ = try? await site.read(at: place, viewSince: now, isGiven: false, limit: limit, on: connection, until: now + limit) {
                [connection] (view, attempt) -> (answer: Void, operationTime: OperationTime) in
                for cache in caches {
                    guard let parts = cache.behind(view) else {
                        cache.follow(to: view, changed: nil)
                        continue
                    }
                    var changed: [String]? = []
                    for (partition, offsets) in parts {
                        guard let keys = try await connection.changedKeys(of: partition, offsets, attempt) else {
                            changed = nil
                            break
                        }
                        changed? += keys
                    }
                    cache.follow(to: view, changed: changed)
                }
                return ((), view.operationTime)
            }
        }
    }
}
