import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Threads

@Suite struct ThreadExecutorTests {
    private actor Worker {
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
        nonisolated let executor: ThreadExecutor
        private(set) var count = 0

        init(name: String) { executor = ThreadExecutor(name: name) }

        func add() { count += 1 }
        func threadName() -> String { ThreadExecutorTests.threadName() }
        func block(at gate: Gate) {
            gate.wait()
            count += 1
        }
        func isIsolated() -> Bool {
            executor.checkIsolated()
            return executor.isIsolatingCurrentContext() == true
        }
        func isIsolatedElsewhere() async -> Bool? {
            let executor = executor
            return await Task.detached { executor.isIsolatingCurrentContext() }.value
        }
    }

    private static func threadName() -> String { (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? "" }

    private func threads(named name: String) -> Int {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.count { (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == name + "\n" }
    }

    @Test func `jobs run one at a time, on one named thread`() async {
        let worker = Worker(name: "a-name-that-is-too-long")
        await withTaskGroup { group in
            for _ in 0..<1000 { group.addTask { await worker.add() } }
        }
        #expect(await worker.count == 1000)
        #expect(await worker.threadName() == "a-name-that-is-\n")
        #expect(await worker.isIsolated())
        #expect(await worker.isIsolatedElsewhere() == false)
    }

    @Test func `a task that prefers it stays on its thread between calls`() async {
        let worker = Worker(name: "preferred")
        let names = await Task(executorPreference: worker.executor) {
            var names = [Self.threadName()]
            await worker.add()
            names.append(Self.threadName())
            await Task.yield()
            names.append(Self.threadName())
            return names
        }.value
        #expect(names == Array(repeating: "preferred\n", count: 3))
        // Whoever does not prefer it leaves with the answer.
        #expect(await worker.count == 1)
        #expect(Self.threadName() != "preferred\n")
    }

    @Test func `blocking calls leave the cooperative pool alone`() async {
        // More of them than the pool has threads, all blocked until a task of the pool opens the gate: on the pool's own
        // threads they would wait for ever.
        let gate = Gate()
        let workers = (0..<16).map { Worker(name: "blocked-\($0)") }
        await withTaskGroup { group in
            for worker in workers { group.addTask { await worker.block(at: gate) } }
            while gate.waiting < workers.count { await Task.yield() }
            gate.open(for: workers.count)
        }
        for worker in workers { #expect(await worker.count == 1) }
    }

    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        private let count = Mutex(0)

        var waiting: Int { count.withLock { $0 } }

        func wait() {
            count.withLock { $0 += 1 }
            semaphore.wait()
        }

        func open(for number: Int) { for _ in 0..<number { semaphore.signal() } }
    }

    @Test func `the thread ends with its executor`() async throws {
        var worker: Worker? = Worker(name: "short-lived")
        await worker?.add()
        #expect(threads(named: "short-lived") == 1)
        worker = nil
        for _ in 0..<100 where threads(named: "short-lived") > 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(threads(named: "short-lived") == 0)
    }
}
