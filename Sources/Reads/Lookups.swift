import Events
import Projector
import Synchronization
import Values

/// Looks documents up by their ids: what is asked for while connections are busy becomes one read when one is free, and an id that
/// is asked for twice meanwhile is read once.
public final class Lookups: Sendable {
    /// What can be read together.
    private struct Key: Hashable {
        var model: String
        var place: ReadPlace
        var names: [String]?
        /// Whether everything must be there that was when it was asked for.
        var isCausal: Bool
    }

    /// Is told the result, once, wherever that comes to be known.
    public typealias Delivery = @Sendable (Result<LookupAnswer, ReadFailure>) -> Void

    private struct Waiter {
        var deadline: ContinuousClock.Instant
        var deliver: Delivery
    }

    private struct Batch {
        var model: ReadModel
        var after: OperationTime?
        var waiters: [String: [Waiter]] = [:]

        /// Returns how many ids it has now, and whether this is a new one.
        mutating func add(_ waiter: Waiter, _ id: String, _ after: OperationTime?) -> (count: Int, isNew: Bool) {
            if let after { self.after = max(after, self.after ?? after) }
            let before = waiters.count
            waiters[id, default: []].append(waiter)
            return (waiters.count, waiters.count > before)
        }
    }

    private struct State {
        var batches: [Key: Batch] = [:]
        /// In the order in which they came to be.
        var order: [Key] = []
        var idle: [any ReadConnection]
        /// Since when each of the others has been reading.
        var reading: [Int: ContinuousClock.Instant] = [:]
        var nextReader = 0
        /// Lookups that wait or are being read.
        var waiting = 0
        /// Ids in `batches`.
        var queued = 0
        /// Until when those who wait are let grow in number, in a storm.
        var pause = ContinuousClock.now
        var isSwept = false
    }

    private let site: ReadSite
    private let storm: Storm
    private let state: Mutex<State>
    /// Of lookups that wait or are being read.
    private let mostWaiting: Int

    /// How late those that no connection is free for may be told that their time is over.
    private static let sweep = Duration.milliseconds(50)

    /// How long a read may take before another connection helps.
    private static let patience = Duration.milliseconds(20)

    /// Ids in one read: more would make the first wait for the last.
    static let mostIds = 128

    /// - Parameters:
    ///   - connections: that are used for nothing else.
    ///   - mostWaiting: lookups that wait or are being read; more are refused.
    public init(_ site: ReadSite, storm: Storm = Storm(), connections: [any ReadConnection], mostWaiting: Int) {
        self.site = site
        self.storm = storm
        state = Mutex(State(idle: connections))
        self.mostWaiting = mostWaiting
    }

    /// Lookups that wait or are being read.
    public var waiting: Int { state.withLock(\.waiting) }

    /// - Parameters:
    ///   - names: the fields that are needed; nil for all.
    ///   - after: what the answer must hold.
    /// - Returns: a result, and does not throw: where the tasks of a group catch typed errors, Swift 6.3's optimiser lets some of them
    ///   return what others did.
    public func result(
        of id: String, in model: ReadModel, at place: ReadPlace, names: [String]?, after: OperationTime?, until deadline: ContinuousClock.Instant
    ) async -> Result<LookupAnswer, ReadFailure> {
        await withCheckedContinuation { continuation in
            find(id, in: model, at: place, names: names, after: after, until: deadline) { continuation.resume(returning: $0) }
        }
    }

    /// The same for who has no task that could wait.
    public func find(
        _ id: String, in model: ReadModel, at place: ReadPlace, names: [String]?, after: OperationTime?, until deadline: ContinuousClock.Instant,
        _ deliver: @escaping Delivery
    ) {
        // What must be there is read where it is.
        guard after == nil, place == model.place, let cache = site.caches[model.name], cache.covers(names) else {
            return read(id, in: model, at: place, names: names, after: after, Waiter(deadline: deadline, deliver: deliver))
        }
        if let answer = cache.find(id, at: .now) { return deliver(.success(answer)) }
        let waiter = Waiter(deadline: deadline) { result in
            if case .failure(let failure) = result, failure.isOfServers, let answer = cache.findStale(id) { return deliver(.success(answer)) }
            deliver(result)
        }
        read(id, in: model, at: place, names: cache.names, after: nil, waiter)
    }

    private func read(_ id: String, in model: ReadModel, at place: ReadPlace, names: [String]?, after: OperationTime?, _ waiter: Waiter) {
        let key = Key(model: model.name, place: place, names: names, isCausal: after != nil)
        let (isAdmitted, begun) = state.withLock { state -> (Bool, Turn?) in
            guard state.waiting < mostWaiting else { return (false, nil) }
            state.waiting += 1
            let (count, isNew) = state.batches[key, default: Batch(model: model)].add(waiter, id, after)
            if isNew { state.queued += 1 }
            if isNew, count == 1 { state.order.append(key) }
            return (true, turn(&state))
        }
        guard isAdmitted else { return waiter.deliver(.failure(.overloaded)) }
        if let begun { start(begun) } else { sweepUnlessSwept() }
    }

    private typealias Turn = (number: Int, connection: any ReadConnection)

    /// A connection to read with now, where there is something to read and one is free.
    private func turn(_ state: inout State) -> Turn? {
        let now = ContinuousClock.now
        guard isDue(state, at: now), let connection = state.idle.popLast() else { return nil }
        state.nextReader += 1
        state.reading[state.nextReader] = now
        return (state.nextReader, connection)
    }

    /// Whether to read for those who wait. One connection reads for all, so that what is asked for meanwhile becomes one read, which
    /// costs MongoDB half as much as many; unless it has to wait for its server for long.
    private func isDue(_ state: State, at now: ContinuousClock.Instant) -> Bool {
        guard state.queued > 0 else { return false }
        guard state.reading.isEmpty else { return state.reading.values.allSatisfy { now - $0 > Self.patience } }
        return now >= state.pause
    }

    private func start() {
        if let turn = state.withLock({ turn(&$0) }) { start(turn) }
    }

    private func start(_ turn: Turn) {
        Task(executorPreference: turn.connection.executor) { [self] in await work(turn) }
    }

    /// Tells those whose time is over while every connection is busy.
    private func sweepUnlessSwept() {
        let isSwept = state.withLock { state in
            defer { state.isSwept = true }
            return state.isSwept
        }
        guard !isSwept else { return }
        Task {
            while state.withLock({ state in
                state.isSwept = !state.batches.isEmpty
                return state.isSwept
            }) {
                try? await Task.sleep(for: Self.sweep)
                start()
                for waiter in takeLate(at: .now) { waiter.deliver(.failure(.late)) }
            }
        }
    }

    private func takeLate(at now: ContinuousClock.Instant) -> [Waiter] {
        state.withLock { state in
            var late: [Waiter] = []
            for key in state.order {
                guard let batch = state.batches[key] else { continue }
                for (id, waiters) in batch.waiters where waiters.contains(where: { $0.deadline <= now }) {
                    late += waiters.filter { $0.deadline <= now }
                    let rest = waiters.filter { $0.deadline > now }
                    state.batches[key]?.waiters[id] = rest.isEmpty ? nil : rest
                    if rest.isEmpty { state.queued -= 1 }
                }
                if state.batches[key]?.waiters.isEmpty ?? true { state.batches[key] = nil }
            }
            state.order.removeAll { state.batches[$0] == nil }
            state.waiting -= late.count
            return late
        }
    }

    /// Reads while there is something to read, and in a storm has it gone on with after a pause.
    private func work(_ turn: Turn) async {
        var pause: ContinuousClock.Instant?
        while let (key, batch) = next(turn) {
            let began = ContinuousClock.now
            await read(batch, key, on: turn.connection)
            pause = storm.isOn ? began + Storm.pace : nil
            state.withLock { $0.pause = pause ?? began }
        }
        guard let pause else { return }
        try? await Task.sleep(until: pause, clock: .continuous)
        start()
    }

    private func next(_ turn: Turn) -> (Key, Batch)? {
        state.withLock { state in
            let now = ContinuousClock.now
            state.reading[turn.number] = nil
            guard isDue(state, at: now), let key = state.order.first, var batch = state.batches[key] else {
                state.idle.append(turn.connection)
                return nil
            }
            state.reading[turn.number] = now
            state.order.removeFirst()
            state.batches[key] = nil
            if batch.waiters.count > Self.mostIds {
                var rest = batch
                batch.waiters = [:]
                for id in rest.waiters.keys.prefix(Self.mostIds) { batch.waiters[id] = rest.waiters.removeValue(forKey: id) }
                state.batches[key] = rest
                state.order.append(key)
            }
            state.queued -= batch.waiters.count
            return (key, batch)
        }
    }

    private func read(_ batch: Batch, _ key: Key, on connection: any ReadConnection) async {
        let deadline = batch.waiters.values.joined().map(\.deadline).max() ?? .now
        let cache = site.caches[batch.model.name]
        let isKept = cache.map { $0.names == key.names && key.place == batch.model.place } ?? false
        var open = batch.waiters
        func end(_ id: String, _ result: Result<LookupAnswer, ReadFailure>) {
            guard let waiters = open.removeValue(forKey: id) else { return }
            state.withLock { $0.waiting -= waiters.count }
            for waiter in waiters { waiter.deliver(result) }
        }
        do throws(ReadFailure) {
            // What was missing in this build when that was read, and what was known before.
            var missing: (build: BuildID, view: ServerView, at: ContinuousClock.Instant, floor: OperationTime?, time: OperationTime)?
            while !open.isEmpty {
                let ids = Array(open.keys)
                let gone = missing?.build
                let (view, found, floor) = try await site.read(at: key.place, after: batch.after, viewSince: missing?.at, on: connection, until: deadline) {
                    (view, attempt) -> (answer: (ServerView, ReadDocuments?, OperationTime?), operationTime: OperationTime) in
                    // Read once more only where readers have left the build meanwhile: what was missing may have gone with it.
                    guard let build = view.live[batch.model.name], build != gone else { return ((view, nil, nil), view.operationTime) }
                    let found = try await connection.documents(of: build, ids: ids, names: key.names, attempt)
                    return ((view, found, attempt.after), found.operationTime)
                }
                guard let build = view.live[batch.model.name] else { throw .refused(.noBuild(of: batch.model.name)) }
                func answer(_ id: String, _ document: ReadDocument?) -> LookupAnswer { LookupAnswer(document, id, of: batch.model, build, view) }
                guard let found else {
                    // Not by this view: what came between is not in the answer.
                    let view = missing?.view ?? view
                    if let missing { cache?.take(ids.map { ($0, nil) }, of: build, by: view, after: missing.floor, at: missing.time, isKept: false) }
                    for id in ids { end(id, .success(LookupAnswer(nil, id, of: batch.model, build, view))) }
                    break
                }
                let now = view.now
                var documents: [(id: String, document: ReadDocument?)] = []
                for raw in found.documents {
                    let document = try Self.document(raw, now: now)
                    // What readers do not see is there by its id alone.
                    let id = if let document { document.id as String? } else { try Self.id(of: raw) }
                    if let id { documents.append((id, document)) }
                }
                cache?.take(documents, of: build, by: view, after: floor, at: found.operationTime, isKept: isKept)
                for (id, document) in documents { end(id, .success(answer(id, document))) }
                // What was cut off by the size of the answer is read next.
                if found.isWhole { missing = (build, view, .now, floor, found.operationTime) }
            }
        } catch {
            for id in Array(open.keys) { end(id, .failure(error)) }
        }
    }

    private static func id(of raw: RawDocument) throws(ReadFailure) -> String? {
        do throws(BSONError) { return try raw.value("_id")?.asString } catch { throw unreadable(error) }
    }

    private static func document(_ raw: RawDocument, now: Int64) throws(ReadFailure) -> ReadDocument? {
        do throws(BSONError) { return try ReadDocument(raw, now: now) } catch { throw unreadable(error) }
    }

    private static func unreadable(_ error: BSONError) -> ReadFailure { .refused(Refusal(.serverRefused, "MongoDB's answer cannot be read: \(error)")) }
}
