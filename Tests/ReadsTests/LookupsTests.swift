import Events
import Models
import Projector
import Synchronization
import Testing
import Values

@testable import Reads

/// Reads over servers in memory, which answer, fail and wait as they are told.
@Suite struct LookupsTests {
    private struct Failure: StoreFailure {
        var isRetriable = true
        var problem: Problem { .serverUnreachable }
        var description: String { "failed" }
    }

    /// A replica set whose answers are told.
    private final class Servers: ReadConnection {
        struct State {
            var servers = [ReadServer(name: "p", isPrimary: true, lastWrite: 0), ReadServer(name: "a", isPrimary: false, lastWrite: 0)]
            var failing: Set<String> = []
            var live = BuildID(model: "product", number: 1)
            /// Ids by build.
            var documents: [Int: Set<String>] = [1: ["a", "b"]]
            var time: UInt32 = 100
            /// How far the build is, and whose events were between.
            var offset: Int64 = 7
            var generation: Int64 = 3
            var changed: [String]? = []
            /// What every read was asked: at which server, after when, and for which ids.
            var reads: [(server: String, after: OperationTime?, build: Int, ids: [String])] = []
            var views = 0
            /// Called before a read of documents is answered.
            var before: @Sendable (inout State) -> Void = { _ in }
            /// Whether what does not fit into one answer is left out.
            var mostDocuments = Int.max
            var gate: [CheckedContinuation<Void, Never>]?
        }

        let state = Mutex(State())

        var executor: (any TaskExecutor)? { nil }

        func servers(for place: ReadPlace) async -> [ReadServer] { state.withLock(\.servers) }

        func view(of partitions: [PartitionID], _ attempt: ReadAttempt) async throws -> ServerView {
            try state.withLock { state in
                if state.failing.contains(attempt.server.name) { throw Failure() }
                state.views += 1
                var checkpoint = Checkpoint(build: state.live, partition: PartitionID(stream: "product", number: 0))
                checkpoint.offset = state.offset
                checkpoint.generation = state.generation
                return ServerView(
                    live: ["product": state.live], revision: Int64(state.live.number), checkpoints: [checkpoint], ends: [checkpoint.partition: state.offset],
                    clock: 0,
                    operationTime: OperationTime(seconds: state.time, increment: 0), taken: .now)
            }
        }

        func documents(of build: BuildID, ids: [String], names: [String]?, _ attempt: ReadAttempt) async throws -> ReadDocuments {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    guard state.gate != nil else { return true }
                    state.gate?.append(continuation)
                    return false
                }
                if isOpen { continuation.resume() }
            }
            return try state.withLock { state in
                state.before(&state)
                state.reads.append((attempt.server.name, attempt.after, build.number, ids.sorted()))
                if state.failing.contains(attempt.server.name) { throw Failure() }
                state.time += 1
                let found = ids.filter { state.documents[build.number]?.contains($0) ?? false }
                let documents = found.prefix(state.mostDocuments).map { id in
                    RawDocument(
                        StoredDocument(key: id, position: DocumentPosition(partition: 0, offset: 5, time: 0), fields: ["n": .int32(Int32(build.number))]).bson)
                }
                return ReadDocuments(
                    documents: documents, isWhole: documents.count == found.count, operationTime: OperationTime(seconds: state.time, increment: 0))
            }
        }

        func changedKeys(of partition: PartitionID, _ offsets: Range<Int64>, _ attempt: ReadAttempt) async throws -> [String]? {
            try state.withLock { state in
                if state.failing.contains(attempt.server.name) { throw Failure() }
                return state.changed
            }
        }

        func page(of build: BuildID, _ page: PageRequest, _ attempt: ReadAttempt) async throws -> ReadDocuments {
            try await documents(of: build, ids: ["a", "b"], names: page.names, attempt)
        }

        func open() {
            let waiting = state.withLock { state in
                defer { state.gate = nil }
                return state.gate ?? []
            }
            for waiter in waiting { waiter.resume() }
        }
    }

    /// Other tests may keep every thread busy for long.
    private static let limit = Duration.seconds(300)
    private let servers = Servers()
    private let site = ReadSite(partitions: [PartitionID(stream: "product", number: 0)])
    private let lookups: Lookups
    private static let model = ReadModel(
        Model(name: "product", stream: "product", fold: EffectFold([:]), source: "", foldHash: "", stoppingHash: ""), partitions: 1)

    init() { lookups = Lookups(site, connections: [servers], mostWaiting: 10) }

    private func look(
        _ id: String, at place: ReadPlace = model.place, after: OperationTime? = nil, within time: Duration = limit
    ) async throws(ReadFailure) -> LookupAnswer {
        try await lookups.result(of: id, in: Self.model, at: place, names: nil, after: after, until: .now + time).get()
    }

    private func until(_ condition: @Sendable (Servers.State) -> Bool, meanwhile work: () async throws -> Void = {}) async throws {
        let began = ContinuousClock.now
        while !servers.state.withLock({ condition($0) }) {
            try #require(.now - began < Self.limit)
            try await work()
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func `what is asked for while one read is under way becomes the next, and an id asked for twice is read once`() async throws {
        servers.state.withLock { $0.gate = [] }
        try await withThrowingTaskGroup(of: (String, LookupAnswer).self) { group in
            // Else a failure would leave its tasks waiting for ever.
            defer { servers.open() }
            group.addTask { ("a", try await look("a")) }
            try await until { $0.gate?.count == 1 }
            for id in ["a", "b", "b", "c", "a"] { group.addTask { (id, try await look(id)) } }
            try await until { _ in lookups.waiting == 6 }
            servers.open()
            for try await (id, answer) in group {
                #expect(answer.document?.id == (id == "c" ? nil : id))
                #expect(answer.generation == 3 && answer.offset == 7 && answer.lag == 0)
            }
        }
        let reads = servers.state.withLock(\.reads)
        #expect(reads.map(\.ids) == [["a"], ["a", "b", "c"]])
    }

    @Test func `after a read for many, the next waits for as many, or for enough`() async throws {
        // A pause that only they can end.
        let lookups = Lookups(site, connections: [servers], mostWaiting: 1000, gathering: Self.limit)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Else a failure would leave its tasks waiting for ever.
            defer { servers.open() }
            var asked = 0
            func ask(_ count: Int) {
                for id in asked..<(asked + count) {
                    group.addTask {
                        let time = ContinuousClock.now + Self.limit
                        _ = try await lookups.result(of: "\(id)", in: Self.model, at: Self.model.place, names: nil, after: nil, until: time).get()
                    }
                }
                asked += count
            }
            /// How many ids each read had, when all were answered.
            func reads() async throws -> [Int] {
                try await until { _ in lookups.waiting == 0 }
                return servers.state.withLock(\.reads).map(\.ids.count)
            }
            // While the first is read, ten come.
            servers.state.withLock { $0.gate = [] }
            ask(1)
            try await until { $0.gate?.count == 1 }
            ask(10)
            try await until { _ in lookups.waiting == 11 }
            servers.open()
            #expect(try await reads() == [1, 10])
            // Nine are too few, and one more is as many as before.
            ask(9)
            try await until { _ in lookups.waiting == 9 }
            #expect(servers.state.withLock(\.reads.count) == 2)
            ask(1)
            #expect(try await reads() == [1, 10, 10])
            // Thirty come while ten are read, and after them 24 are enough.
            ask(9)
            try await until { _ in lookups.waiting == 9 }
            servers.state.withLock { $0.gate = [] }
            ask(1)
            try await until { $0.gate?.count == 1 }
            ask(30)
            try await until { _ in lookups.waiting == 40 }
            servers.open()
            #expect(try await reads() == [1, 10, 10, 10, 30])
            ask(23)
            try await until { _ in lookups.waiting == 23 }
            #expect(servers.state.withLock(\.reads.count) == 5)
            ask(1)
            #expect(try await reads() == [1, 10, 10, 10, 30, 24])
            try await group.waitForAll()
        }
    }

    @Test func `whoever goes on from another gives nothing older than that one gave`() async throws {
        _ = try await look("a")
        let next = ReadSite(partitions: [PartitionID(stream: "product", number: 0)])
        next.goOn(from: site)
        let lookups = Lookups(next, connections: [servers], mostWaiting: 10)
        _ = try await lookups.result(of: "a", in: Self.model, at: Self.model.place, names: nil, after: nil, until: .now + Self.limit).get()
        #expect(servers.state.withLock(\.reads).map(\.after) == [nil, OperationTime(seconds: 101, increment: 0)])
    }

    @Test func `while requests are refused, reads are apart`() async throws {
        let storm = Storm()
        let lookups = Lookups(site, storm: storm, connections: [servers], mostWaiting: 100)
        func look(_ id: String) async throws {
            storm.refused()
            _ = try await lookups.result(of: id, in: Self.model, at: Self.model.place, names: nil, after: nil, until: .now + Self.limit).get()
        }
        let began = ContinuousClock.now
        for _ in 0..<20 { try await look("a") }
        #expect(ContinuousClock.now - began >= Storm.pace * 19)
        // Those who come meanwhile are one read.
        let before = servers.state.withLock(\.reads.count)
        try await withThrowingTaskGroup { group in
            for id in 0..<50 { group.addTask { try await look("\(id)") } }
            try await group.waitForAll()
        }
        #expect(servers.state.withLock(\.reads.count) - before < 25)
    }

    @Test func `a server that fails is left for another, and nothing is older than what was given`() async throws {
        #expect(try await look("a").document != nil)
        servers.state.withLock { $0.before = { $0.failing = ["a"] } }
        #expect(try await look("a").document != nil)
        let reads = servers.state.withLock(\.reads)
        #expect(reads.map(\.server) == ["a", "a", "p"])
        #expect(reads.map(\.after) == [nil, OperationTime(seconds: 101, increment: 0), OperationTime(seconds: 101, increment: 0)])
        // What must be there can be later still.
        _ = try await look("a", after: OperationTime(seconds: 500, increment: 1))
        #expect(servers.state.withLock(\.reads).last?.after == OperationTime(seconds: 500, increment: 1))
        _ = try await look("a", at: .primary, after: OperationTime(seconds: 5, increment: 1))
        #expect(servers.state.withLock(\.reads).last?.after == OperationTime(seconds: 103, increment: 0))
    }

    @Test func `what went with a build that readers have left is read in the next one`() async throws {
        #expect(try await look("a").document != nil)
        servers.state.withLock {
            $0.before = { state in
                state.live = BuildID(model: "product", number: 2)
                state.documents = [2: ["a", "b"]]
            }
        }
        let answer = try await look("b")
        #expect(answer.document != nil && answer.build.number == 2)
        #expect(servers.state.withLock(\.reads).map(\.build) == [1, 1, 2])
        // What is in neither costs a look at which build is live, and no second read.
        #expect(try await look("c").document == nil)
        #expect(servers.state.withLock(\.reads).count == 4)
    }

    @Test func `a page does so too`() async throws {
        let pages = Pages(site, connections: [servers], mostWaiting: 1)
        let request = PageRequest(index: DocumentIndex([]), isBackward: false, conditions: [], after: nil, limit: 5, names: nil)
        func page() async throws -> PageAnswer {
            try await pages.page(request, of: Self.model, at: Self.model.place, after: nil, until: .now + Self.limit)
        }
        #expect(try await page().documents.count == 2)
        servers.state.withLock {
            $0.before = { state in
                state.live = BuildID(model: "product", number: 2)
                state.documents = [2: ["a"]]
            }
        }
        let answer = try await page()
        #expect(answer.build.number == 2 && answer.documents.map(\.id) == ["a"] && answer.next == nil)
    }

    @Test func `what an answer has no room for is read next`() async throws {
        servers.state.withLock { $0.mostDocuments = 1 }
        servers.state.withLock { $0.gate = [] }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            // Else a failure would leave its tasks waiting for ever.
            defer { servers.open() }
            group.addTask { try await look("a").document != nil }
            try await until { $0.gate?.count == 1 }
            for id in ["a", "b"] { group.addTask { try await look(id).document != nil } }
            try await until { _ in lookups.waiting == 3 }
            servers.open()
            for try await isFound in group { #expect(isFound) }
        }
        #expect(servers.state.withLock(\.reads).count == 3)
    }

    @Test func `where all servers fail, the breaker opens, and then nobody is asked or waits`() async throws {
        servers.state.withLock { $0.failing = ["a", "p"] }
        let failure = await #expect(throws: ReadFailure.self) { try await look("a") }
        guard case .resting? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        let views = servers.state.withLock(\.views)
        await #expect(throws: ReadFailure.self) { try await look("a") }
        #expect(servers.state.withLock(\.views) == views)
        servers.state.withLock { $0.failing = [] }
        let again = ContinuousClock.now
        while (try? await look("a")) == nil {
            try #require(.now - again < Self.limit)
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test func `too many are refused, and those whose time is over are told so while the others wait`() async throws {
        servers.state.withLock { $0.gate = [] }
        try await withThrowingTaskGroup(of: String.self) { group in
            // Else a failure would leave its tasks waiting for ever.
            defer { servers.open() }
            func add(_ id: String, within time: Duration) {
                group.addTask {
                    do throws(ReadFailure) {
                        _ = try await look(id, within: time)
                        return "found"
                    } catch {
                        return "\(error)"
                    }
                }
            }
            add("a", within: Self.limit)
            try await until { $0.gate?.count == 1 }
            for _ in 0..<9 { add("b", within: .milliseconds(100)) }
            var ends: [String] = []
            for _ in 0..<9 { ends.append(try await group.next() ?? "") }
            #expect(ends == Array(repeating: "late", count: 9))
            for _ in 0..<15 { add("b", within: Self.limit) }
            for _ in 0..<6 { #expect(try await group.next() == "overloaded") }
            #expect(lookups.waiting == 10)
            servers.open()
            for try await end in group { #expect(end == "found") }
        }
        // Nothing is left of those who went, before whom others would wait.
        let time = ContinuousClock.now + Self.limit
        let last = await lookups.result(of: "a", in: Self.model, at: Self.model.place, names: ["n"], after: nil, until: time)
        #expect(try last.get().document != nil)
    }

    @Test func `with a cache, what no event has changed is read once, and answers marked while MongoDB gives none`() async throws {
        let cache = ReadCache(CacheSettings(fields: FieldPath("n").map { [$0] }), of: Self.model)
        let site = ReadSite(partitions: [PartitionID(stream: "product", number: 0)], caches: ["product": cache])
        let (lookups, follower) = (Lookups(site, connections: [servers], mostWaiting: 10), CacheFollower(site, connection: servers))
        func look(_ names: [String]? = ["n"], after: OperationTime? = nil) async throws -> LookupAnswer {
            try await lookups.result(of: "a", in: Self.model, at: Self.model.place, names: names, after: after, until: .now + Self.limit).get()
        }
        func reads() -> Int { servers.state.withLock(\.reads).count }
        // However long the machine takes for it: until it is kept, and known to be so.
        try await until { _ in
            cache.counts.hits > 0
        } meanwhile: {
            _ = try await look()
            await follower.look()
        }
        let before = reads()
        await follower.look()
        _ = try await look(nil)
        _ = try await look(after: OperationTime(seconds: 1, increment: 0))
        #expect(reads() == before + 2, "what it lacks, and what must be there, is read")
        // An event of the document, and one of another.
        servers.state.withLock { ($0.offset, $0.changed) = (8, ["b"]) }
        try await until { _ in
            cache.find("a", at: .now)?.offset == 8
        } meanwhile: {
            await follower.look()
        }
        servers.state.withLock { ($0.offset, $0.changed) = (9, ["a"]) }
        try await until { _ in
            cache.find("a", at: .now) == nil && cache.counts.bytes == 0
        } meanwhile: {
            await follower.look()
        }
        try await until { _ in
            cache.counts.bytes > 0
        } meanwhile: {
            _ = try await look()
        }
        servers.state.withLock { $0.failing = ["a", "p"] }
        try await until { _ in
            cache.counts.stale > 0
        } meanwhile: {
            if case .success(let answer) = await lookups.result(
                of: "a", in: Self.model, at: Self.model.place, names: ["n"], after: nil, until: .now + .milliseconds(300))
            {
                #expect(answer.document?.id == "a")
            }
        }
    }

    @Test func `an error that stays is told at once`() async throws {
        servers.state.withLock { $0.live = BuildID(model: "other", number: 1) }
        let model = ReadModel(Model(name: "other", stream: "product", fold: EffectFold([:]), source: "", foldHash: "", stoppingHash: ""), partitions: 1)
        let failure = await #expect(throws: ReadFailure.self) {
            try await lookups.result(of: "a", in: model, at: .primary, names: nil, after: nil, until: .now + Self.limit).get()
        }
        guard case .refused(let refusal)? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(refusal.problem == .unknownName)
    }
}
