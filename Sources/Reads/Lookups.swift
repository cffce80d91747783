import Events
import Projector
import Synchronization
import Values

/// Looks documents up by their ids: what is asked for while a connection is busy becomes one read when it is free, and an id that
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

    private struct Waiter {
        var deadline: ContinuousClock.Instant
        var continuation: CheckedContinuation<Result<LookupAnswer, ReadFailure>, Never>
    }

    private struct Batch {
        var model: ReadModel
        var after: OperationTime?
        var waiters: [String: [Waiter]] = [:]

        mutating func add(_ waiter: Waiter, _ id: String, _ after: OperationTime?) {
            self.after = [self.after, after].compactMap(\.self).max()
            waiters[id, default: []].append(waiter)
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
        var waiting = 0
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
    /// Ids of a read after which the next one waits a moment for more.
    private static let crowd = 8
    private static let gathering = Duration.milliseconds(1)

    /// Ids in one read: more would make the first wait for the last.
    static let mostIds = 128

    /// - Parameter connections: that are used for nothing else.
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
        // What must be there is read where it is.
        guard after == nil, place == model.place, let cache = site.caches[model.name], cache.covers(names) else {
            return await read(id, in: model, at: place, names: names, after: after, until: deadline)
        }
        if let answer = cache.find(id, at: .now) { return .success(answer) }
        let result = await read(id, in: model, at: place, names: cache.names, after: nil, until: deadline)
        if case .failure(let failure) = result, failure.isOfServers, let answer = cache.findStale(id) { return .success(answer) }
        return result
    }

    private func read(
        _ id: String, in model: ReadModel, at place: ReadPlace, names: [String]?, after: OperationTime?, until deadline: ContinuousClock.Instant
    ) async -> Result<LookupAnswer, ReadFailure> {
        await withCheckedContinuation { continuation in
            let key = Key(model: model.name, place: place, names: names, isCausal: after != nil)
            let isAdmitted = state.withLock { state in
                guard state.waiting < mostWaiting else { return false }
                state.waiting += 1
                if state.batches[key] == nil { state.order.append(key) }
                state.batches[key, default: Batch(model: model)].add(Waiter(deadline: deadline, continuation: continuation), id, after)
                return true
            }
            guard isAdmitted else { return continuation.resume(returning: .failure(.overloaded)) }
            if !startReader() { sweepUnlessSwept() }
        }
    }

    /// One connection reads for all, so that reads are large, unless it has to wait for its server for long.
    private func startReader() -> Bool {
        let reader = state.withLock { state -> (Int, any ReadConnection)? in
            let now = ContinuousClock.now
            guard !state.batches.isEmpty, state.reading.values.allSatisfy({ now - $0 > Self.patience }), let connection = state.idle.popLast() else {
                return nil
            }
            state.nextReader += 1
            state.reading[state.nextReader] = now
            return (state.nextReader, connection)
        }
        guard let (number, connection) = reader else { return false }
        Task { await work(number, connection) }
        return true
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
                _ = startReader()
                for waiter in takeLate(at: .now) { waiter.continuation.resume(returning: .failure(.late)) }
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
                }
            }
            state.waiting -= late.count
            return late
        }
    }

    /// Reads until nobody waits.
    private func work(_ number: Int, _ connection: any ReadConnection) async {
        while let (key, batch) = next(number, or: connection) {
            let began = ContinuousClock.now
            await read(batch, key, on: connection)
            if storm.isOn {
                try? await Task.sleep(until: began + Storm.pace, clock: .continuous)
                continue
            }
            // Those who were answered ask again in a moment, and what is read for all of them costs MongoDB half as much as what is
            // read for those who were waiting. Where few ask, nobody waits.
            if batch.waiters.count >= Self.crowd { try? await Task.sleep(for: Self.gathering) }
        }
    }

    private func next(_ number: Int, or connection: any ReadConnection) -> (Key, Batch)? {
        state.withLock { state in
            let now = ContinuousClock.now
            state.reading[number] = nil
            // Whoever helped goes when the other is quick again.
            let isHelped = state.reading.values.contains { now - $0 <= Self.patience }
            guard !isHelped, let key = state.order.first, var batch = state.batches[key] else {
                state.idle.append(connection)
                return nil
            }
            state.reading[number] = now
            state.order.removeFirst()
            guard batch.waiters.count > Self.mostIds else {
                state.batches[key] = nil
                return (key, batch)
            }
            var rest = batch
            batch.waiters = [:]
            for id in rest.waiters.keys.prefix(Self.mostIds) { batch.waiters[id] = rest.waiters.removeValue(forKey: id) }
            state.batches[key] = rest
            state.order.append(key)
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
            for waiter in waiters { waiter.continuation.resume(returning: result) }
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
