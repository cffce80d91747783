import Foundation

/// Watches a model's checkpoint, and finds the longest time that it stood still.
actor StallWatch {
    private static let pause = Duration.milliseconds(20)

    private let place: Place
    private var moves: [(at: ContinuousClock.Instant, offset: Int)] = []
    private var watching: Task<Void, Never>?

    init(_ place: Place) {
        self.place = place
    }

    func start() {
        watching = Task {
            while !Task.isCancelled {
                // A server that does not answer shows no progress, and has none.
                if let offset = (try? await place.mongo.checkpoints("trace"))?.min(), offset > moves.last?.offset ?? -1 {
                    moves.append((.now, offset))
                }
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    func stop() async {
        watching?.cancel()
        await watching?.value
    }

    /// The longest time without progress between two moments at which there was work.
    func longest(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Duration {
        let marks = [start] + moves.map(\.at).filter { start < $0 && $0 < end } + [end]
        return zip(marks, marks.dropFirst()).map { $1 - $0 }.max() ?? .zero
    }
}
