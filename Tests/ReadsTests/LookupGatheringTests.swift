import Events
import Projector
import ReadFixtures
import Synchronization
import Testing

@testable import Reads

/// Which lookups become one read, and which are refused or late.
@Suite struct LookupGatheringTests: LookupSuite {
    let servers = ServersInMemory()
    let site = Self.site()
    let lookups: Lookups

    init() { lookups = Lookups(site, connections: [servers], mostWaiting: 10) }

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
}
