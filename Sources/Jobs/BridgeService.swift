import Events
import Logging
import Projector

/// A bridge job: moves the messages that Debezium Server leaves in Redis streams onto the lists of a stream.
///
/// A message leaves the pending ones of its Redis stream and enters its list in one step, and only while it is the first
/// of them. So nothing is lost or doubled and the order of a Redis stream is kept, whatever is killed and however many
/// bridges work on it; a second one saves the time until somebody starts the first again.
public struct BridgeService: ContinuousWork {
    public struct Settings: Sendable {
        /// The Redis streams.
        public var sources: [String]
        /// Removes what has been moved from its Redis stream, unless other groups read that too.
        public var trim: Bool

        public init(sources: [String], trim: Bool) {
            self.sources = sources
            self.trim = trim
        }
    }

    private let name: String
    private let source: any EntrySource
    private let settings: Settings
    private let stream: StreamSettings
    private let logger: Logger

    public init(name: String, _ source: any EntrySource, _ settings: Settings, to stream: StreamSettings, logger: Logger) {
        self.name = name
        self.source = source
        self.settings = settings
        self.stream = stream
        self.logger = logger
    }

    public func run(until stop: StopSignal) async throws {
        var bridge = Bridge(name: name, source: source, settings: settings, stream: stream, stop: stop, logger: logger)
        await bridge.run()
    }
}

/// The work of a bridge, and what it counts.
private struct Bridge {
    let name: String
    let source: any EntrySource
    let settings: BridgeService.Settings
    let stream: StreamSettings
    let stop: StopSignal
    let logger: Logger

    private var size = ReadSize(most: mostEntries, bytes: page)
    private var moved = 0
    private var undecodable = 0
    private var told = ContinuousClock.now
    private var swept = ContinuousClock.now
    private var isSharedSaid = false

    /// How long a read waits for entries, and with it how long a stop may take to be noticed; and how often is looked for what
    /// a dead bridge has read.
    private static let wait = Duration.seconds(1)
    /// Bounds of what one script moves, while Redis does nothing else.
    private static let mostEntries = 500
    private static let page = ByteCount.mebibytes(1)
    /// How often it says how much it has moved, unless nothing moved.
    private static let every = Duration.seconds(60)
    /// How long it is left alone when somebody must act.
    private static let recheck = Duration.seconds(30)

    init(name: String, source: any EntrySource, settings: BridgeService.Settings, stream: StreamSettings, stop: StopSignal, logger: Logger) {
        self.name = name
        self.source = source
        self.settings = settings
        self.stream = stream
        self.stop = stop
        self.logger = logger
    }

    mutating func run() async {
        logger.info("bridging", metadata: ["job": "\(name)", "from": "\(settings.sources.joined(separator: ", "))", "to": "\(stream.name)"])
        var pause = Backoff(first: .milliseconds(100), most: .seconds(5))
        while !stop.isRequested, !Task.isCancelled {
            do {
                try await begin()
                while !stop.isRequested, !Task.isCancelled {
                    try await turn()
                    pause.reset()
                }
            } catch {
                await wait(after: error, pause.next())
            }
        }
        tell()
    }

    private mutating func begin() async throws {
        for name in settings.sources { try await source.join(name) }
        try await sweep()
    }

    /// Somebody may have died with something in his hands.
    private mutating func sweep() async throws {
        for name in settings.sources { try await movePending(of: name) }
        swept = .now
    }

    private mutating func turn() async throws {
        let read = try await source.read(settings.sources, count: size.count, wait: Self.wait)
        CrashPoint.entriesRead.reached()
        for (name, entries) in read where try await !move(entries, from: name) { try await movePending(of: name) }
        if ContinuousClock.now - swept >= Self.wait { try await sweep() }
        if ContinuousClock.now - told >= Self.every { tell() }
    }

    /// Moves what has been read by anybody and not moved, until there is no more of it.
    private mutating func movePending(of name: String) async throws {
        while !stop.isRequested {
            let pending = try await source.pending(name, count: size.count)
            if !pending.gone.isEmpty {
                logger.error(
                    "somebody has removed entries that were read and not moved: they are lost",
                    metadata: ["job": "\(self.name)", "from": "\(name)", "count": "\(pending.gone.count)", "first": "\(pending.gone[0])"])
            }
            guard !pending.entries.isEmpty else { return }
            CrashPoint.entriesClaimed.reached()
            // Where it is false, another bridge has moved them.
            _ = try await move(pending.entries, from: name)
        }
    }

    /// False where others are to be moved first, or somebody has moved these.
    private mutating func move(_ entries: [SourceEntry], from name: String) async throws -> Bool {
        var arrivals: [Arrival] = []
        var isUndecodable: [Bool] = []
        for entry in entries {
            let element = entry.message.element
            let partition = stream.partition(of: element)
            arrivals.append(Arrival(id: entry.id, list: stream.list(of: partition ?? 0), element: element))
            isUndecodable.append(partition == nil)
        }
        size.learn(count: arrivals.count, bytes: arrivals.reduce(0) { $0 + $1.element.count })
        var start = 0
        while start < arrivals.count {
            let end = arrivals.end(ofPageFrom: start, bytes: Self.page)
            switch try await source.move(Array(arrivals[start..<end]), from: name, trim: settings.trim) {
            case .behind: return false
            case .moved(let groups): noteGroups(groups, of: name)
            }
            CrashPoint.entriesMoved.reached()
            moved += end - start
            undecodable += isUndecodable[start..<end].count { $0 }
            start = end
        }
        return true
    }

    private mutating func noteGroups(_ groups: Int64, of name: String) {
        guard settings.trim, groups > 1, !isSharedSaid else { return }
        isSharedSaid = true
        logger.warning(
            "nothing is trimmed while other groups read the stream too: trim it when all have read", metadata: ["job": "\(self.name)", "from": "\(name)"])
    }

    private mutating func tell() {
        told = .now
        guard moved > 0 else { return }
        logger.info("moved", metadata: ["job": "\(name)", "entries": "\(moved)", "undecodable": "\(undecodable)"])
        (moved, undecodable) = (0, 0)
    }

    private func wait(after error: any Error, _ pause: Duration) async {
        var wait = pause
        switch Disposition.of(error) {
        case .retry: logger.warning("the bridge starts again with what is pending", metadata: ["job": "\(name)", "error": "\(error)"])
        case .stop:
            logger.error("the bridge stands still until somebody acts", metadata: ["job": "\(name)", "error": "\(error)"])
            wait = Self.recheck
        }
        let end = ContinuousClock.now + wait
        while !stop.isRequested, ContinuousClock.now < end { try? await Task.sleep(for: min(.milliseconds(50), wait)) }
    }
}

extension [Arrival] {
    /// As many as fit into `bytes`, and at least one.
    fileprivate func end(ofPageFrom start: Int, bytes: ByteCount) -> Int {
        var size = self[start].element.count
        var end = start + 1
        while end < count, size + self[end].element.count <= bytes.bytes {
            size += self[end].element.count
            end += 1
        }
        return end
    }
}
