import Events
import Logging
import MongoStore
import Projector
import Values

/// One of the followers that share a name: takes a part of the log, prints it, and acknowledges it once the reader has
/// taken the lines.
///
/// Each event goes to one of them. It goes to another one as well only where the first died, stood still for longer than
/// its lease or lost its reader before it had acknowledged.
struct CompetingFollowing: Sendable {
    let name: String
    let partitions: [PartitionID]
    let catalog: MongoCatalog
    let log: any EventLog
    let followers: MongoFollowers
    /// Elements that are taken at once.
    let batch: Int
    let lease: Duration
    let holder: String
    let logger: Logger

    /// - Parameter limit: how many elements to acknowledge at least; a part is finished in any case.
    func run(_ printer: EventPrinter, limit: Int, _ stop: StopSignal) async throws {
        guard let incarnation = try await catalog.awaitInstallation(stop, logger)?.incarnation else { return }
        var printer = printer
        printer.incarnation = incarnation
        var left = limit
        var pause = Backoff(first: .milliseconds(100), most: .seconds(5))
        // Not all of them begin with the same partition.
        var turn = Int.random(in: partitions.indices)
        // Kept over a failure: asked again with it, a claim whose reply was lost is found.
        var id = RandomUUID.text()
        var idle = 0
        while left > 0, !stop.isRequested {
            let partition = partitions[turn]
            do {
                let end = try await log.tail(of: partition).offset
                let most = min(batch, left)
                guard let claim = try await followers.claim(id, name, partition, holder: holder, below: end, most: most, duration: lease) else {
                    (turn, idle) = ((turn + 1) % partitions.count, idle + 1)
                    guard idle >= partitions.count else { continue }
                    idle = 0
                    Output.exitIfNobodyReads()
                    await stop.wait(EventFollowing.poll)
                    continue
                }
                CrashPoint.partClaimed.reached()
                (turn, idle) = ((turn + 1) % partitions.count, 0)
                id = RandomUUID.text()
                if try await deliver(claim, printer) { left -= claim.offsets.count }
                pause.reset()
            } catch let failure as any StoreFailure where failure.isRetriable {
                logger.warning("waiting for MongoDB", metadata: ["error": "\(failure)"])
                await stop.wait(pause.next())
            }
        }
    }

    /// Prints a part, and acknowledges it. False where it went to somebody else.
    private func deliver(_ claim: MongoFollowers.Claim, _ printer: EventPrinter) async throws -> Bool {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await show(claim, printer) }
                group.addTask { try await keep(claim) }
                // Renewing has no end of its own.
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is ClaimLost {
            logger.warning(
                "a part of the log went to another follower before its reader had taken it", metadata: ["part": "\(claim.partition)@\(claim.offsets)"])
            return false
        } catch {
            // What was not printed to its end is for whoever asks next.
            try? await followers.release(claim)
            throw error
        }
        CrashPoint.partTaken.reached()
        try await acknowledge(claim)
        CrashPoint.partAcknowledged.reached()
        return true
    }

    private struct ClaimLost: Error {}

    private func show(_ claim: MongoFollowers.Claim, _ printer: EventPrinter) async throws {
        var printer = printer
        var reader = LogReader(log, claim.partition, claim.offsets)
        var isAny = false
        while true {
            let chunks: [Chunk]
            do {
                chunks = try await reader.chunks()
            } catch let failure as any StoreFailure where failure.isRetriable && isAny {
                // Printed once, a part is not begun again: the rest of it is waited for.
                logger.warning("waiting for MongoDB", metadata: ["error": "\(failure)"])
                try await Task.sleep(for: lease / 10)
                continue
            }
            guard !chunks.isEmpty else { break }
            for chunk in chunks {
                let lines = printer.lines(of: chunk, reader.next..<reader.end)
                reader.took(chunk, upTo: lines.end)
                try await Output.offer(lines.text)
                isAny = true
            }
        }
        try await Output.untilTaken()
    }

    /// Renews the claim until it is lost.
    private func keep(_ claim: MongoFollowers.Claim) async throws {
        while true {
            try await Task.sleep(for: lease / 3)
            do {
                guard try await followers.renew(claim, duration: lease) else { throw ClaimLost() }
            } catch let failure as any StoreFailure where failure.isRetriable {
                continue
            }
        }
    }

    /// Repeated until there is an answer: what was printed is not to be printed by another one as well.
    private func acknowledge(_ claim: MongoFollowers.Claim) async throws {
        var pause = Backoff(first: .milliseconds(50), most: .seconds(1))
        var isRepeated = false
        while true {
            do {
                // Repeated, it may be the first one that has taken it away.
                if try await !followers.acknowledge(claim), !isRepeated {
                    logger.warning(
                        "a part of the log was taken from this follower before its acknowledgement", metadata: ["part": "\(claim.partition)@\(claim.offsets)"])
                }
                return
            } catch let failure as any StoreFailure where failure.isRetriable {
                logger.warning("waiting for MongoDB", metadata: ["error": "\(failure)"])
                isRepeated = true
                try await Task.sleep(for: pause.next())
            }
        }
    }
}
