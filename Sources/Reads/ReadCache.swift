import Events
import Models
import Projector
import Synchronization
import Values

/// Fields of a model's documents in memory, for as long as the log does not say that they may have changed.
///
/// Its entries are what they were in the partitions' checkpoints that it knows of: whoever follows the checkpoints tells it whose
/// events are between one and the next, and those entries go. With another build or generation, all go.
public final class ReadCache: Sendable {
    private struct Entry {
        var document: ReadDocument
        var bytes: Int
        var read: ContinuousClock.Instant
        /// Milliseconds since 1970, by MongoDB's clock.
        var expires: Int64?
    }

    private struct State {
        var entries: [Entry] = []
        /// Each id's place in the entries.
        var places: [String: Int] = [:]
        var bytes = 0
        var frequencies: FrequencySketch
        /// The newest that was followed to; its checkpoints are those of the entries.
        var view: ServerView?
        /// What the newest answer holds that anybody was given.
        var given: OperationTime?
        var lastUse: ContinuousClock.Instant?
        var counts = Counts()
    }

    /// What became of lookups that it could have answered.
    public struct Counts: Hashable, Sendable {
        public var hits = 0
        public var misses = 0
        /// Hits while MongoDB was not asked.
        public var stale = 0
        /// Of the entries now.
        public var bytes = 0
    }

    private let model: ReadModel
    private let settings: CacheSettings
    /// The top-level fields that are kept; nil for all.
    let names: [String]?
    private let state: Mutex<State>

    /// How old what is known of the checkpoints may be.
    private static let currency = Duration.milliseconds(500)
    /// It is followed for so long after it was used.
    private static let rest = Duration.seconds(1)
    /// What an entry costs besides its document.
    private static let overhead = 200
    /// Of an entry, for the size of the sketch.
    private static let usualBytes = 1024
    /// Entries that are looked at to find one that is asked for seldom.
    private static let sample = 8

    public init(_ settings: CacheSettings, of model: ReadModel) {
        self.model = model
        self.settings = settings
        names = settings.fields.map { paths in Self.tops(paths.map { $0.names[0] }) }
        state = Mutex(State(frequencies: FrequencySketch(capacity: settings.maxBytes.bytes / Self.usualBytes)))
    }

    private static func tops(_ names: [String]) -> [String] {
        Array(Set(names.map { String($0.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)[0]) })).sorted()
    }

    /// Whether an entry has all that is needed of a document.
    func covers(_ wanted: [String]?) -> Bool {
        guard let names else { return true }
        guard let wanted else { return false }
        return Set(Self.tops(wanted)).subtracting(["_id"]).isSubset(of: names)
    }

    public var counts: Counts {
        state.withLock { state in
            var counts = state.counts
            counts.bytes = state.bytes
            return counts
        }
    }

    // MARK: Reading

    /// The answer, if it has one that is as it should be now.
    func find(_ id: String, at now: ContinuousClock.Instant) -> LookupAnswer? {
        state.withLock { state in
            state.lastUse = now
            state.frequencies.add(id)
            if let place = state.places[id], let view = state.view, now - view.taken <= Self.currency {
                let entry = state.entries[place]
                if now - entry.read <= settings.maxAge, let answer = answer(entry, view) {
                    state.counts.hits += 1
                    return answer
                }
            }
            state.counts.misses += 1
            return nil
        }
    }

    /// The answer, if it has any, marked as one that may be old: for while MongoDB gives none.
    func findStale(_ id: String) -> LookupAnswer? {
        state.withLock { state in
            guard let place = state.places[id], let view = state.view, var answer = answer(state.entries[place], view) else { return nil }
            answer.isStale = true
            state.counts.stale += 1
            return answer
        }
    }

    private func answer(_ entry: Entry, _ view: ServerView) -> LookupAnswer? {
        if let expires = entry.expires, expires <= view.now { return nil }
        guard let build = view.live[model.name] else { return nil }
        return LookupAnswer(entry.document, entry.document.id, of: model, build, view)
    }

    // MARK: Keeping

    /// What was read and is about to be told: an entry that is older goes, so that nobody is told it afterwards.
    ///
    /// - Parameters:
    ///   - documents: by id; nil for one that there is not.
    ///   - floor: what the read had to hold; `time` is when it was over, and may be later than what it holds.
    ///   - isKept: whether they have the fields that entries have.
    func take(
        _ documents: [(id: String, document: ReadDocument?)], of build: BuildID, by view: ServerView, after floor: OperationTime?, at time: OperationTime,
        isKept: Bool
    ) {
        state.withLock { state in
            let isNewest = state.given.map { given in floor.map { $0 >= given } ?? false } ?? true
            state.given = max(time, state.given ?? time)
            if state.view == nil, isKept { state.view = view }
            for (id, document) in documents {
                let old = state.places[id].map { state.entries[$0] }
                if let old, document.map({ $0.position != old.document.position }) ?? true || state.view?.live[model.name] != build {
                    remove(id, from: &state)
                }
                guard isKept, let document else { continue }
                // One that others were told something newer after could be older than that.
                if isNewest, isCurrent(id, build, view, in: state) {
                    keep(document, in: &state)
                } else if let old, !old.document.raw.isSame(as: document.raw) {
                    // A repair leaves the position.
                    remove(id, from: &state)
                }
            }
        }
    }

    /// Whether what was read by this view cannot lack what the entries' checkpoints have.
    private func isCurrent(_ id: String, _ build: BuildID, _ view: ServerView, in state: State) -> Bool {
        let partition = model.partition(of: id)
        guard let known = state.view, known.live[model.name] == build, let mine = known.checkpoint(of: build, partition),
            let its = view.checkpoint(of: build, partition)
        else { return false }
        return its.generation == mine.generation && its.offset >= mine.offset
    }

    private func keep(_ document: ReadDocument, in state: inout State) {
        let (id, now) = (document.id, ContinuousClock.now)
        let bytes = document.raw.size + id.utf8.count + Self.overhead
        remove(id, from: &state)
        // Whoever reads every id asks for each once.
        let frequency = state.frequencies.count(id)
        guard frequency > 1, bytes <= settings.maxBytes.bytes else { return }
        while state.bytes + bytes > settings.maxBytes.bytes {
            let sample = (0..<Self.sample).map { _ in state.entries[Int.random(in: state.entries.indices)].document.id }
            guard let (victim, count) = sample.map({ ($0, state.frequencies.count($0)) }).min(by: { $0.1 < $1.1 }), count < frequency else { return }
            remove(victim, from: &state)
        }
        // Of its own: the others of the answer that it came with are not kept for it.
        guard let own = try? ReadDocument(document.raw.copied, now: .min) else { return }
        state.places[id] = state.entries.count
        let expires = try? own.raw.value(StoredDocument.expiryField)?.asDate
        state.entries.append(Entry(document: own, bytes: bytes, read: now, expires: expires ?? nil))
        state.bytes += bytes
    }

    private func remove(_ id: String, from state: inout State) {
        guard let place = state.places.removeValue(forKey: id) else { return }
        state.bytes -= state.entries[place].bytes
        state.entries.swapAt(place, state.entries.count - 1)
        state.entries.removeLast()
        if place < state.entries.count { state.places[state.entries[place].document.id] = place }
    }

    private func removeAll(from state: inout State) { (state.entries, state.places, state.bytes) = ([], [:], 0) }

    // MARK: Following

    var place: ReadPlace { model.place }

    /// Whether anybody has asked a moment ago.
    func isUsed(at now: ContinuousClock.Instant) -> Bool { state.withLock { state in state.lastUse.map { now - $0 <= Self.rest } ?? false } }

    /// The parts of the log that are between what it knows and a view; nil where it cannot go on to the view with what it has.
    func behind(_ view: ServerView) -> [(partition: PartitionID, offsets: Range<Int64>)]? {
        state.withLock { state in
            guard let known = state.view, let build = view.live[model.name], known.live[model.name] == build else { return nil }
            var parts: [(partition: PartitionID, offsets: Range<Int64>)] = []
            for partition in model.allPartitions {
                guard let its = view.checkpoint(of: build, partition) else { return nil }
                guard let mine = known.checkpoint(of: build, partition), its.generation == mine.generation else { return nil }
                if its.offset > mine.offset { parts.append((partition, mine.offset..<its.offset)) }
            }
            return parts
        }
    }

    /// Goes on to a view.
    ///
    /// - Parameter changed: the ids that have events in between; nil where they are not known, and then nothing is kept.
    func follow(to view: ServerView, changed: [String]?) {
        state.withLock { state in
            // One that is behind on some partition tells nothing about it.
            if let known = state.view {
                guard known.revision <= view.revision, !isBehind(view, known) else { return }
            }
            state.view = view
            guard let changed else { return removeAll(from: &state) }
            for id in changed { remove(id, from: &state) }
        }
    }

    private func isBehind(_ view: ServerView, _ known: ServerView) -> Bool {
        guard let build = view.live[model.name], build == known.live[model.name] else { return false }
        return model.allPartitions.contains { partition in
            guard let its = view.checkpoint(of: build, partition), let mine = known.checkpoint(of: build, partition) else { return false }
            return (its.generation, its.offset) < (mine.generation, mine.offset)
        }
    }
}
