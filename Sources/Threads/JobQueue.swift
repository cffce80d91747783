import Glibc

/// The jobs of a `ThreadExecutor`, and how its thread waits for them.
///
/// Unchecked: `jobs`, `isClosed` and `thread` are read and written only while `mutex` is held.
final class JobQueue: @unchecked Sendable {
    /// A job keeps its executor, so that the executor, and with it this queue, outlives the job.
    struct Entry {
        let job: UnownedJob
        let executor: ThreadExecutor
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [Entry] = []
    private var isClosed = false
    private var thread: pthread_t?

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func append(_ entry: Entry) {
        locked { jobs.append(entry) }
        pthread_cond_signal(changed)
    }

    func close() {
        locked { isClosed = true }
        pthread_cond_signal(changed)
    }

    /// Makes the calling thread the one that runs the jobs.
    func adoptCurrentThread() {
        locked { thread = pthread_self() }
    }

    var isCurrentThread: Bool {
        locked { thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    /// Waits for jobs and runs them; false once the queue is closed and empty. It is a function of its own so that the
    /// jobs run, and with them perhaps the last reference to their executor, are let go before the next wait.
    func runNext() -> Bool {
        let entries = takeAll()
        for entry in entries {
            let executor = entry.executor
            entry.job.runSynchronously(isolatedTo: executor.asUnownedSerialExecutor(), taskExecutor: executor.asUnownedTaskExecutor())
        }
        return !entries.isEmpty
    }

    private func takeAll() -> [Entry] {
        locked {
            while jobs.isEmpty, !isClosed { pthread_cond_wait(changed, mutex) }
            defer { jobs = [] }
            return jobs
        }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
