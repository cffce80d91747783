import Events
import Models
import Projector
import ReadFixtures
import Synchronization
import Testing
import Values

@testable import Reads

/// Where a lookup is read, and what becomes of it when servers fail or a build goes.
@Suite struct LookupsTests: LookupSuite {
    let servers = ServersInMemory()
    let site = Self.site()
    let lookups: Lookups

    init() { lookups = Lookups(site, connections: [servers], mostWaiting: 10) }

    @Test func `whoever goes on from another gives nothing older than that one gave`() async throws {
        _ = try await look("a")
        let next = Self.site()
        next.goOn(from: site)
        let lookups = Lookups(next, connections: [servers], mostWaiting: 10)
        _ = try await lookups.result(of: "a", in: Self.model, at: Self.model.place, names: nil, after: nil, until: .now + Self.limit).get()
        #expect(servers.state.withLock(\.reads).map(\.after) == [nil, OperationTime(seconds: 101, increment: 0)])
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

    @Test func `with a cache, what no event has changed is read once, and answers marked while MongoDB gives none`() async throws {
        let cache = ReadCache(CacheSettings(fields: FieldPath("n").map { [$0] }), of: Self.model)
        let site = Self.site(caches: ["product": cache])
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
