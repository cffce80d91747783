import ArgumentParser
import Definitions
import Events
import Jobs
import Projector
import UnixSignals
import Values

struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Applies everything that is waiting now, and prints a receipt.",
        discussion: """
            Waits for whoever holds a partition. Exits 1 when events were parked or a model is stopped, 75 when somebody holds a partition and \
            makes no progress.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Streams; all when none is named.")
    var streams: [String] = []

    @Flag(help: "Stop when everything that is waiting now is applied. To drain continuously, use run.")
    var once = false

    func validate() throws {
        guard once else { throw ValidationError("drain works with --once; to drain continuously, use millrace run") }
    }

    func run() async throws {
        let receipt = try await Ending.of {
            let configuration = try options.load()
            try configuration.require(streams: streams)
            let runtime = try await Runtime.open(configuration, logger: options.logger)
            return try await interruptible {
                async let indexes: Void = runtime.makeIndexes()
                let builds = Task { await runtime.lookAfterBuilds() }
                defer { builds.cancel() }
                let receipt = try await DrainOnce(runtime, streams: streams, lease: configuration.lease, logger: options.logger).run()
                await indexes
                return receipt
            }
        }
        if options.json {
            Output.line(JSON.write(.document(receipt.document)))
        } else {
            print(receipt)
        }
        if receipt.parked > 0 { Ending.complain("\(Output.count(receipt.parked)) events were parked: see millrace dead list") }
        for standstill in receipt.stopped { Ending.complain("\(standstill)") }
        if receipt.parked > 0 || !receipt.stopped.isEmpty { throw Ending.notGood }
    }

    private func print(_ receipt: Receipt) {
        Output.line(
            "received \(Output.count(receipt.received)) = logged \(Output.count(receipt.logged)) + duplicates \(Output.count(receipt.duplicates))"
                + " (undecodable \(Output.count(receipt.undecodable))) in \(receipt.document["seconds"].map(JSON.write) ?? "") s"
        )
        guard !receipt.models.isEmpty else { return }
        Output.table(
            ["model", "behind", "+ logged", "= applied", "+ ignored", "+ parked", "+ held", "+ behind", "inserted", "updated", "deleted", "unchanged"],
            receipt.models.sorted { $0.key < $1.key }.map { name, sums in
                [name]
                    + [
                        sums.behindBefore, sums.logged, sums.totals.applied, sums.totals.ignored,
                        sums.totals.parked, sums.totals.held, sums.behindAfter, sums.totals.inserted, sums.totals.updated, sums.totals.deleted,
                        sums.totals.unchanged,
                    ].map(Output.count)
            }
        )
    }
}

/// Runs a one-shot command's work; SIGINT and SIGTERM end it with what was done so far kept.
func interruptible<Result: Sendable>(_ body: @Sendable @escaping () async throws -> Result) async throws -> Result {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await signal in signals { throw Interruption(signal: signal == .sigint ? 2 : 15) }
            return nil
        }
        defer { group.cancelAll() }
        while let result = try await group.next() {
            if let result { return result }
        }
        throw CancellationError()
    }
}
