#if DEBUG
    import Foundation
    import Synchronization
#endif

/// Named places, one after each step of the protocol, at which a debug build can be killed or frozen: when the place is
/// reached for the n-th time, `MILLRACE_CRASH_AT=name:n` sends the process SIGKILL, and `MILLRACE_FREEZE_AT=name:n`
/// SIGSTOP, until somebody sends it SIGCONT. Release builds carry none.
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
    // Of a rebuild and its switch.
    case buildAdded = "build-added"
    case loadBegun = "load-begun"
    case rowsLoaded = "rows-loaded"
    case loadKept = "load-kept"
    case buildFolded = "build-folded"
    case indexesMade = "indexes-made"
    case switchEntered = "switch-entered"
    case checkpointsFrozen = "checkpoints-frozen"
    case frozenReached = "frozen-reached"
    case pointerMoved = "pointer-moved"
    case viewPointed = "view-pointed"
    case switchClosed = "switch-closed"
    case thawed = "thawed"
    case buildDropping = "build-dropping"
    case checkpointsRemoved = "checkpoints-removed"
    case collectionDropped = "collection-dropped"
    case buildRemoved = "build-removed"
    // Of a scheduled job.
    case runBegun = "run-begun"
    // Of a bridge.
    case entriesRead = "entries-read"
    case entriesClaimed = "entries-claimed"
    case entriesMoved = "entries-moved"
    // Of a snapshot.
    case snapshotBegun = "snapshot-begun"
    case snapshotWritten = "snapshot-written"
    case snapshotCompleted = "snapshot-completed"
    case snapshotHeadRemoved = "snapshot-head-removed"
    // Of a reconcile, beside those of its transactions.
    case reconcileBegun = "reconcile-begun"
    case driftReported = "drift-reported"
    case correctionsPushed = "corrections-pushed"
    // Of followers that share a name.
    case partClaimed = "part-claimed"
    case partTaken = "part-taken"
    case partAcknowledged = "part-acknowledged"
    // Of whatever takes something out of the log.
    case pruneDeclared = "prune-declared"
    case chunksPruned = "chunks-pruned"
    case chunksMerged = "chunks-merged"
    case headsErased = "heads-erased"
    case chunkErased = "chunk-erased"
    case snapshotErased = "snapshot-erased"
    case documentErased = "document-erased"
    case lettersErased = "letters-erased"

    /// The steps of a drain.
    public static let ofDrain = allCases.filter { !(ofBridge + ofRebuild + ofLoad + ofTruth + ofFollowers + ofRemoval + [.runBegun]).contains($0) }
    /// Those that only a rebuild, its switch, and the removal of a build have: it folds as a drain does.
    public static let ofRebuild: [CrashPoint] = [
        .buildAdded, .buildFolded, .indexesMade, .switchEntered, .checkpointsFrozen, .frozenReached, .pointerMoved,
        .viewPointed, .switchClosed, .thawed,
        .buildDropping, .checkpointsRemoved, .collectionDropped, .buildRemoved,
    ]
    /// Those of a rebuild that begins with the rows of a source of truth.
    public static let ofLoad: [CrashPoint] = [.loadBegun, .rowsLoaded, .loadKept]
    public static let ofBridge: [CrashPoint] = [.entriesRead, .entriesClaimed, .entriesMoved]
    public static let ofTruth: [CrashPoint] = [
        .snapshotBegun, .snapshotWritten, .snapshotCompleted, .snapshotHeadRemoved, .reconcileBegun, .driftReported, .correctionsPushed,
    ]
    public static let ofFollowers: [CrashPoint] = [.partClaimed, .partTaken, .partAcknowledged]
    public static let ofRemoval: [CrashPoint] = [
        .pruneDeclared, .chunksPruned, .chunksMerged, .headsErased, .chunkErased, .snapshotErased, .documentErased, .lettersErased,
    ]

    @inline(__always)
    public func reached() {
        #if DEBUG
            Self.countDown(rawValue)
        #endif
    }

    /// With `MILLRACE_CRASH_ON=decode:TEXT` or `fold:TEXT`, the process is killed by an element that holds the text.
    @inline(__always)
    static func decoding(_ bytes: ArraySlice<UInt8>) {
        #if DEBUG
            killer?.meet("decode", bytes)
        #endif
    }

    @inline(__always)
    static func folding(_ bytes: @autoclosure () -> ArraySlice<UInt8>) {
        #if DEBUG
            killer?.meet("fold", bytes())
        #endif
    }

    #if DEBUG
        private struct Killer {
            var stage: String
            var text: [UInt8]

            func meet(_ stage: String, _ bytes: ArraySlice<UInt8>) {
                if stage == self.stage, bytes.firstRange(of: text) != nil { raise(SIGKILL) }
            }
        }

        private static let killer = ProcessInfo.processInfo.environment["MILLRACE_CRASH_ON"].flatMap { setting in
            setting.firstIndex(of: ":").map { Killer(stage: String(setting[..<$0]), text: Array(setting[setting.index(after: $0)...].utf8)) }
        }

        private static let remaining = Mutex(setting("MILLRACE_CRASH_AT", SIGKILL) ?? setting("MILLRACE_FREEZE_AT", SIGSTOP))

        private static func setting(_ variable: String, _ signal: Int32) -> (name: String, count: Int, signal: Int32)? {
            ProcessInfo.processInfo.environment[variable].map { setting in
                let parts = setting.split(separator: ":")
                return (String(parts.first ?? ""), parts.count > 1 ? Int(parts[1]) ?? 1 : 1, signal)
            }
        }

        private static func countDown(_ name: String) {
            remaining.withLock { remaining in
                guard let fault = remaining, fault.name == name else { return }
                remaining?.count -= 1
                guard fault.count == 1 else { return }
                // To this very thread: one sent to the process may reach another thread first, and a step could follow.
                raise(fault.signal)
            }
        }
    #endif
}
