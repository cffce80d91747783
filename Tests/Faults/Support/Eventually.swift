import Foundation
import Testing

/// What a test waited for did not happen, or something it needs did not work.
struct Failure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Asks until there is an answer, which `probe` says by not returning nil.
func eventually<Answer>(
    within limit: Duration = .seconds(120), every pause: Duration = .milliseconds(10), _ what: @autoclosure () -> String,
    _ probe: () async throws -> Answer?
) async throws -> Answer {
    let deadline = ContinuousClock.now + limit
    while true {
        if let answer = try await probe() { return answer }
        guard ContinuousClock.now < deadline else { throw Failure("not within \(limit): \(what())") }
        try await Task.sleep(for: pause)
    }
}

/// Asks until it is so.
func until(
    within limit: Duration = .seconds(120), every pause: Duration = .milliseconds(10), _ what: @autoclosure () -> String, _ probe: () async throws -> Bool
) async throws {
    _ = try await eventually(within: limit, every: pause, what()) { try await probe() ? true : nil }
}

/// Runs `body` for every element, at most `width` at a time. What one throws is recorded, and the others go on.
func forEach<Element: Sendable>(
    _ elements: [Element], atOnce width: Int, _ body: @escaping @Sendable (Element) async throws -> Void
) async {
    await withTaskGroup(of: Void.self) { group in
        for (number, element) in elements.enumerated() {
            if number >= width { await group.next() }
            group.addTask {
                do {
                    try await body(element)
                } catch {
                    Issue.record("\(element): \(error)")
                }
            }
        }
    }
}

/// A line of a test's tally: to standard error, where test runners show it.
func tally(_ line: String) {
    FileHandle.standardError.write(Data("faults: \(line)\n".utf8))
}

extension Duration {
    var seconds: Double { self / .seconds(1) }
    var rounded: String { String(format: "%.2f s", seconds) }
}
