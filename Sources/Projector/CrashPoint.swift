#if DEBUG
    import Foundation
    import Synchronization
#endif

/// Named places, one after each step of the protocol, at which a debug build can be killed: `MILLRACE_CRASH_AT=name:n`
/// kills the process with SIGKILL when the place is reached for the n-th time. Release builds carry none.
public enum CrashPoint: String, CaseIterable, Sendable {
    case leaseAcquired = "lease-acquired"
    case cut = "cut"
    case tailRead = "tail-read"
    case windowRead = "window-read"
    case progressRead = "progress-read"
    case segmentRead = "segment-read"
    case chunkDecided = "chunk-decided"
    case chunkAppended = "chunk-appended"
    case segmentReleased = "segment-released"
    case checkpointRead = "checkpoint-read"
    case documentsRead = "documents-read"
    case folded = "folded"
    case transactionStarted = "transaction-started"
    case checkpointMoved = "checkpoint-moved"
    case deadLettersWritten = "dead-letters-written"
    case documentsWritten = "documents-written"
    case committed = "committed"
    case completenessNoted = "completeness-noted"
    case leaseRenewed = "lease-renewed"
    case receiptWritten = "receipt-written"
    case leaseReleased = "lease-released"

    @inline(__always)
    public func reached() {
        #if DEBUG
            Self.countDown(rawValue)
        #endif
    }

    #if DEBUG
        private static let remaining = Mutex<(name: String, count: Int)?>(
            ProcessInfo.processInfo.environment["MILLRACE_CRASH_AT"].map { setting in
                let parts = setting.split(separator: ":")
                return (String(parts.first ?? ""), parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
            }
        )

        private static func countDown(_ name: String) {
            remaining.withLock { remaining in
                guard remaining?.name == name else { return }
                remaining?.count -= 1
                if remaining?.count == 0 {
                    kill(getpid(), SIGKILL)
                    // The signal is delivered to some thread of the process; no step may follow before it is.
                    while true { pause() }
                }
            }
        }
    #endif
}
