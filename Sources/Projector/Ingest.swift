import Events
import Values

/// Cut, read, append, release: moves one partition's list into the log.
///
/// Everything in memory is a copy of what is stored, in an order that the rules of the protocol fix; after any failure
/// it is forgotten and read again. The numbers in the comments are those rules'.
public actor Ingest {
    private let settings: StreamSettings
    private let partition: PartitionID
    private let buffer: any SegmentBuffer
    private let log: any EventLog
    private let builder: ChunkBuilder
    private let collisionPause: Duration
    private let clock: any Clock<Duration>
    private let meter: (any IngestMeter)?
    private var readSize: ReadSize

    private var window: DedupeWindow?
    /// The offset up to which the window knows the log.
    private var windowEnd: Int64 = 0
    /// nil when the log must be read before anything is decided.
    private var tail: LogTail?
    private var segment: Working?
    /// One that did not hold what it should: what became of it is seen at the next cut.
    private var suspect: Segment?
    private var completeness: Completeness?
    /// Cuts that found nothing, since the tail was read.
    private var idleCuts = 0

    /// A second of them, at the usual pace.
    private static let mostIdleCuts = 50

    /// The segment under way.
    private struct Working {
        var segment: Segment
        var progress: SegmentProgress
        /// Elements read and not logged yet.
        var read: Page?
    }

    /// Elements read in one step, with the place of the next one to log.
    private struct Page {
        var elements: RawElements
        var tape: JSONTape
        var next = 0
        /// The one element is parked unread.
        var isParked = false
    }

    /// - Parameters:
    ///   - collisionPause: before the log is read again after a collision, because what is in the way may not have reached
    ///     a majority yet.
    ///   - clock: what it waits by.
    public init(
        settings: StreamSettings, partition: PartitionID, buffer: any SegmentBuffer, log: any EventLog, collisionPause: Duration = .milliseconds(20),
        clock: any Clock<Duration> = ContinuousClock(), meter: (any IngestMeter)? = nil
    ) {
        self.settings = settings
        self.partition = partition
        self.buffer = buffer
        self.log = log
        self.collisionPause = collisionPause
        self.clock = clock
        self.meter = meter
        builder = ChunkBuilder(settings: settings, partition: partition)
        readSize = ReadSize(most: settings.chunkEvents, bytes: settings.chunkBytes)
    }

    /// Forgets what is in memory: after a failure, and when the lease was gone for a while. The window stays: it is
    /// compared with the tail before it is used.
    public func forget() {
        tail = nil
        segment = nil
        completeness = nil
    }

    /// Logs what is waiting, until a segment is done, a batch is full, or nothing is left.
    public func next(epoch: Int64, events: Int, bytes: Int, watch: CrashWatch? = nil) async throws -> IngestBatch {
        var batch = IngestBatch()
        while batch.events < events, batch.bytes < bytes {
            guard var working = segment else {
                // What was known was forgotten: somebody else may have logged in between, and a batch has no gaps.
                guard batch.chunks.isEmpty else { break }
                switch try await cut(epoch, &batch) {
                case .segment: continue
                case .nothing:
                    batch.isIdle = true
                    return finish(&batch)
                case .fenced(let fence):
                    batch.fence = fence
                    return finish(&batch)
                }
            }
            if working.progress.end >= working.segment.length {
                let began = ContinuousClock.now
                let reply = try await buffer.release(epoch: epoch, identity: working.segment.identity, oversize: working.progress.oversize)
                meter?.record(.release, of: partition.stream, .now - began)
                CrashPoint.segmentReleased.reached()
                segment = nil
                if case .fenced(let fence) = reply { batch.fence = fence }
                break
            }
            if working.read == nil {
                guard let page = try await read(working, watch) else {
                    // 2: another segment, or too few elements.
                    suspect = working.segment
                    forget()
                    continue
                }
                working.read = page
                segment = working
            }
            if let chunk = try await append() {
                batch.append(chunk)
                try await watch?.passed(.ingest, to: chunk.chunk.end)
            }
        }
        return finish(&batch)
    }

    private func finish(_ batch: inout IngestBatch) -> IngestBatch {
        batch.completeness = completeness
        batch.tail = tail?.offset
        return batch
    }

    private enum CutOutcome { case segment, nothing, fenced(by: Int64) }

    private func cut(_ epoch: Int64, _ batch: inout IngestBatch) async throws -> CutOutcome {
        let began = ContinuousClock.now
        // 1: every attempt brings an identity of its own.
        let reply = try await buffer.cut(epoch: epoch, identity: RandomUUID.text())
        CrashPoint.cut.reached()
        switch reply {
        case .fenced(let fence): return .fenced(by: fence)
        case .foreign(let owner):
            throw Refusal(
                .otherInstallation,
                "the list \(buffer.list) belongs to the installation \(owner): give each installation lists of its own, or delete \(buffer.list):owner "
                    + "if that one is gone"
            )
        case .cut(let found, let complete):
            if let suspect {
                let count = try await missing(of: suspect, found)
                if count > 0 { batch.missing.append(MissingElements(segment: suspect, count: count)) }
                self.suspect = nil
            }
            if let found {
                meter?.record(.cut, of: partition.stream, .now - began)
                try await synchronise(found)
            } else if completeness?.token != complete || idleCuts >= Self.mostIdleCuts {
                // 12: the tail must be read after the reply. Now and then in any case: what somebody imports is there to be
                // projected, though nothing comes from the list.
                tail = try await readTail()
                idleCuts = 0
            } else {
                idleCuts += 1
            }
            if let tail { completeness = Completeness(token: complete, offset: tail.offset) }
            return found == nil ? .nothing : .segment
        }
    }

    /// How many elements of a segment are neither in the log nor in Redis any more. Whoever released it had logged all of
    /// it, and one that is found without its identity is read again.
    private func missing(of suspect: Segment, _ found: Segment?) async throws -> Int64 {
        guard found?.adopted != true else { return 0 }
        let logged = try await log.progress(of: partition, segment: suspect.identity).end
        let present = found.map { $0.identity == suspect.identity ? $0.length : 0 } ?? 0
        return suspect.length - max(logged, present)
    }

    /// 3: the tail, then the ids up to it, then the segment's progress; majority reads in one session.
    private func synchronise(_ found: Segment) async throws {
        let tail = try await readTail()
        try await readWindow(upTo: tail, segment: found)
        CrashPoint.windowRead.reached()
        let progress = try await log.progress(of: partition, segment: found.identity)
        CrashPoint.progressRead.reached()
        self.tail = tail
        segment = Working(segment: found, progress: progress)
    }

    private func readTail() async throws -> LogTail {
        let tail = try await log.tail(of: partition)
        CrashPoint.tailRead.reached()
        return tail
    }

    private func readWindow(upTo tail: LogTail, segment: Segment) async throws {
        // 1: whoever meets the mark widens his window to the segment's length.
        var bounds = settings.dedupeBounds
        if segment.adopted { bounds.originalsAtAnyAge = Int(segment.length) }
        if window?.bounds != bounds || tail.offset < windowEnd {
            guard tail.offset >= windowEnd || windowEnd == 0 || window == nil else {
                throw Refusal(.logDamaged, "the log of \(partition) ends at offset \(tail.offset), and was seen to end at \(windowEnd): restore it")
            }
            // Both or neither: an empty window must never be taken for one that knows the log.
            let start = try await log.windowStart(of: partition, tail: tail, bounds: bounds)
            window = DedupeWindow(bounds: bounds)
            windowEnd = start
        }
        guard let window else { return }
        while windowEnd < tail.offset {
            let page = try await log.digests(of: partition, from: windowEnd, below: tail.offset)
            guard let last = page.last else {
                throw Refusal(.logDamaged, "the log of \(partition) has no chunk at offset \(windowEnd), below its end \(tail.offset): restore it")
            }
            for chunk in page { window.insert(chunk) }
            windowEnd = last.offset + Int64(last.count)
        }
    }

    private func read(_ working: Working, _ watch: CrashWatch?) async throws -> Page? {
        guard let tail else { return nil }
        let most = Int(min(working.segment.length - working.progress.end, Int64(readSize.count)))
        let step = try await watch?.step(of: .ingest, at: tail.offset, most: most) ?? .take(most)
        let count = if case .take(let count) = step { count } else { 1 }
        let began = ContinuousClock.now
        guard let elements = try await buffer.read(identity: working.segment.identity, from: working.progress.end, count: count) else { return nil }
        meter?.record(.read, of: partition.stream, .now - began)
        CrashPoint.segmentRead.reached()
        guard step != .park else { return Page(elements: elements, tape: JSONTape(), isParked: true) }
        readSize.learn(elements)
        CrashPoint.decoding(elements.bytes[...])
        return Page(elements: elements, tape: elements.parse())
    }

    /// Decides and logs the next chunk of the page that was read. nil when somebody else logged at this place.
    private func append() async throws -> DecodedChunk? {
        guard var working = segment, var page = working.read, let tail, let window else { return nil }
        // The server's clock, never below what was logged before.
        let at = max(try await log.clock(), tail.at)
        let age = tail.offset == 0 ? 0 : tail.age + min(at - tail.at, Chunk.maximumAgeStep)
        let mark = window.mark
        let chunk = builder.build(
            page.elements, page.tape, from: page.next,
            at: .init(offset: tail.offset, totals: tail.totals, segment: working.segment.identity, index: working.progress.end, at: at, age: age),
            window: window, refusing: page.isParked ? .crashParked("decoding it") : nil
        )
        CrashPoint.chunkDecided.reached()
        let began = ContinuousClock.now
        do {
            // 6: one append at a time, and nothing moves on before its majority acknowledgement.
            guard case .appended = try await log.append(chunk) else {
                // 4: drop the chunk, read the tail and the progress again.
                window.rollback(to: mark)
                forget()
                try await clock.sleep(for: collisionPause)
                return nil
            }
        } catch {
            window.rollback(to: mark)
            forget()
            throw error
        }
        meter?.record(.append, of: partition.stream, .now - began)
        CrashPoint.chunkAppended.reached()
        windowEnd = chunk.end
        self.tail = LogTail(offset: chunk.end, totals: chunk.totals, at: at, age: age, now: at)
        let first = page.next
        page.next += chunk.count
        working.progress.end += Int64(chunk.count)
        working.progress.oversize += chunk.oversize
        working.read = page.next < page.elements.count ? page : nil
        segment = working
        return DecodedChunk(chunk: chunk, tape: page.tape, firstText: first)
    }
}
