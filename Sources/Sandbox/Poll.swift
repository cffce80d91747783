import Events

/// Asks until there is an answer.
///
/// - Parameters:
///   - patience: how long.
///   - complaint: what to say when it is over.
///   - probe: nil for "not yet".
@discardableResult
func poll<Answer>(
    for patience: Duration, _ complaint: @autoclosure () -> String, _ probe: () async throws -> Answer?
) async throws -> Answer {
    let end = ContinuousClock.now + patience
    while true {
        if let answer = try await probe() { return answer }
        guard ContinuousClock.now < end else {
            throw Refusal(.serverUnreachable, "\(complaint()) after \(patience.components.seconds) s")
        }
        try await Task.sleep(for: .milliseconds(50))
    }
}
