import Events
import Foundation
import Glibc
import Projector
import Synchronization
import Values

/// Says how far a rebuild is: on a terminal on one line that changes, on a pipe in plain lines now and then, with `--json` as
/// one document a line.
final class RebuildProgress: Sendable {
    private struct State {
        var stage: Rebuild.Stage?
        var offsets: [Int: Int64] = [:]
        var start: Int64?
        var rows: Int64 = 0
        var began = ContinuousClock.now
        var said = ContinuousClock.now
        var isLineOpen = false
    }

    private let model: String
    private let total: Int64
    private let isJSON: Bool
    private let isTerminal: Bool
    private let state = Mutex(State())

    private static let interval = Duration.milliseconds(500)
    private static let plainInterval = Duration.seconds(5)

    /// - Parameter total: elements of the log when it began.
    init(_ model: String, total: Int64, isJSON: Bool) {
        self.model = model
        self.total = total
        self.isJSON = isJSON
        isTerminal = !isJSON && isatty(STDERR_FILENO) == 1
    }

    /// A stage has begun, or a partition has come to an offset in it, or so many rows are loaded.
    func note(_ stage: Rebuild.Stage, _ build: BuildID, _ partition: PartitionID?, _ offset: Int64) {
        state.withLock { state in
            let isNew = state.stage != stage && partition == nil
            if isNew { (state.stage, state.began) = (stage, .now) }
            if let partition { state.offsets[partition.number] = offset }
            if stage == .loading { state.rows = offset }
            let folded = state.offsets.values.reduce(0, +)
            if state.start == nil, partition != nil { state.start = folded }
            let pause = isTerminal || isJSON ? Self.interval : Self.plainInterval
            guard isNew || [.loading, .folding].contains(state.stage) && .now - state.said > pause else { return }
            state.said = .now
            say(state.stage ?? stage, build, folded, &state)
        }
    }

    private func say(_ stage: Rebuild.Stage, _ build: BuildID, _ folded: Int64, _ state: inout State) {
        let seconds = (ContinuousClock.now - state.began) / .seconds(1)
        // Of this run: one that is resumed has not folded what was there.
        let rate = seconds > 0 ? Double(folded - (state.start ?? 0)) / seconds : 0
        let left = rate > 0 ? max(0, Double(total - folded)) / rate : nil
        if isJSON {
            var line: Document = ["model": .string(model), "build": .string(build.description), "stage": .string(stage.rawValue)]
            if stage == .loading { line.append("rows", .int64(state.rows)) }
            if stage == .folding {
                line.append("events", .int64(folded))
                line.append("of", .int64(max(total, folded)))
                line.append("eventsPerSecond", .int64(Int64(rate)))
                line.append("secondsLeft", left.map { .int64(Int64($0.rounded(.up))) } ?? .null)
            }
            return Output.line(JSON.write(.document(line)))
        }
        var text = "\(build): \(stage.rawValue)"
        if stage == .folding, folded > 0 {
            text += " \(Output.count(folded)) of \(Output.count(max(total, folded))) events, \(Output.count(Int64(rate)))/s"
            if let left { text += ", \(Int(left.rounded(.up))) s left" }
        }
        if stage == .loading, state.rows > 0 { text += " \(Output.count(state.rows)) rows" }
        // To the end of the line, so that nothing of a longer one stays.
        Self.write(isTerminal ? "\r\(text)\u{1b}[K" : text + "\n")
        state.isLineOpen = isTerminal
    }

    /// Ends the line that changes: whatever is said next has its own.
    func end() {
        state.withLock { state in
            if state.isLineOpen { Self.write("\n") }
            state.isLineOpen = false
        }
    }

    private static func write(_ text: String) { _ = Output.write(Array(text.utf8), to: STDERR_FILENO) }
}
