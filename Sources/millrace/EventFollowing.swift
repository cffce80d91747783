import Events
import Logging
import MongoStore
import Projector
import UnixSignals

/// Prints what is in the log, and then what comes, partition beside partition.
///
/// Majority reads never take anything back, and offsets are dense: whatever happens to the servers, the next page begins
/// where the last line ended.
struct EventFollowing: Sendable {
    let catalog: MongoCatalog
    var logs: [LogReader]
    var printer: EventPrinter
    let logger: Logger

    /// How long to wait when there is nothing new.
    static let poll = Duration.milliseconds(100)

    func run(_ stop: StopSignal) async throws {
        guard let incarnation = try await catalog.awaitInstallation(stop, logger)?.incarnation else { return }
        var (logs, printer) = (logs, printer)
        printer.incarnation = incarnation
        var pause = Backoff(first: .milliseconds(100), most: .seconds(5))
        while printer.left > 0, !stop.isRequested {
            var isAny = false
            do {
                for place in logs.indices {
                    try await logs[place].lookOn()
                    if try await logs[place].show(&printer, until: stop, { try await Output.offer($0) }) { isAny = true }
                }
                pause.reset()
            } catch let failure as any StoreFailure where failure.isRetriable {
                logger.warning("waiting for MongoDB", metadata: ["error": "\(failure)"])
                await stop.wait(pause.next())
                continue
            }
            if !isAny {
                Output.exitIfNobodyReads()
                await stop.wait(Self.poll)
            }
        }
    }
}

extension MongoCatalog {
    /// The installation, which the first worker makes. nil where a stop came before it.
    func awaitInstallation(_ stop: StopSignal, _ logger: Logger) async throws -> Installation? {
        while !stop.isRequested {
            do {
                if let installation = try await installation() { return installation }
                Output.exitIfNobodyReads()
            } catch let failure as any StoreFailure where failure.isRetriable {
                logger.warning("waiting for MongoDB", metadata: ["error": "\(failure)"])
            }
            await stop.wait(EventFollowing.poll)
        }
        return nil
    }
}

extension StopSignal {
    /// Waits, but not after a stop was requested.
    func wait(_ duration: Duration) async {
        let deadline = ContinuousClock.now + duration
        while !isRequested, !Task.isCancelled, .now < deadline {
            try? await Task.sleep(for: min(.milliseconds(50), deadline - .now))
        }
    }
}

/// Runs what goes on until somebody stops it: SIGINT and SIGTERM are its good end.
func untilStopped(_ body: @Sendable @escaping (StopSignal) async throws -> Void) async throws {
    let stop = StopSignal()
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await body(stop) }
        group.addTask {
            for await _ in signals {
                stop.request()
                // The output may be full, and nobody reading it.
                Ending.leave(within: .seconds(2), "stopped in the middle of a line, or without an answer of a server")
            }
        }
        defer { group.cancelAll() }
        try await group.next()
    }
}
