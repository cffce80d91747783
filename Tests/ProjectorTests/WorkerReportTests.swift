import Testing

@testable import Projector

@Suite(.timeLimit(.minutes(1))) struct WorkerReportTests {
    private static let forEver = Duration.seconds(3600)

    /// A worker that has the lease, and more to do.
    private static func busy() -> WorkerReport {
        let report = WorkerReport()
        report.began()
        return report
    }

    @Test func `nobody waits for a worker that is at rest`() async {
        await WorkerReport().rest(within: Self.forEver)
        let idle = Self.busy()
        idle.looked(isBusy: false)
        await idle.rest(within: Self.forEver)
    }

    @Test(arguments: ["has no more to do", "is without the lease", "has failed"]) func `who waits learns at once that the worker`(_ word: String) async {
        // Mostly somebody waits by then, and now and then it is over before.
        for round in 0..<200 {
            let report = Self.busy()
            async let (first, second): (Void, Void) = (report.rest(within: Self.forEver), report.rest(within: Self.forEver))
            for _ in 0..<round % 20 { await Task.yield() }
            report.looked(isBusy: true)
            switch word {
            case "has no more to do": report.looked(isBusy: false)
            case "is without the lease": report.ended()
            default: report.failed(CancellationError(), isStopped: true)
            }
            _ = await (first, second)
        }
    }

    @Test func `no longer than somebody likes to wait`() async {
        let report = Self.busy()
        await report.rest(within: .milliseconds(1))
        #expect(report.isBusy)
    }

    @Test func `what is cancelled waits no longer`() async {
        for round in 0..<200 {
            let report = Self.busy()
            let task = Task { await report.rest(within: Self.forEver) }
            for _ in 0..<round % 20 { await Task.yield() }
            task.cancel()
            await task.value
            #expect(report.isBusy)
        }
    }
}
