/// Does something for an object again and again, for as long as this is kept and the object is there.
public final class Repetition: Sendable {
    private let task: Task<Void, Never>

    /// - Parameter pause: before each time, and so before the first.
    public init<Owner: AnyObject & Sendable>(every pause: Duration, for owner: Owner, _ body: @escaping @Sendable (Owner) async -> Void) {
        task = Task { [weak owner] in
            while !Task.isCancelled {
                try? await Task.sleep(for: pause)
                guard let owner else { return }
                await body(owner)
            }
        }
    }

    deinit { task.cancel() }
}
