import Glibc

/// A serial executor with a thread of its own, for actors that make blocking C calls: on the cooperative pool, with a
/// thread for each core, two such calls would stop the whole program.
///
/// An actor that uses one keeps it in a stored property and returns it from `unownedExecutor`. A task that prefers it goes on there
/// between its calls of the actor, too: each change of threads costs as much as reading a document. The thread ends once the executor
/// is released and its queue is empty.
public final class ThreadExecutor: SerialExecutor, TaskExecutor {
    /// The thread knows only the queue: if it kept the executor, nothing would ever release it.
    private let queue = JobQueue()

    /// - Parameter name: the thread's name in debuggers and `/proc`, of which the kernel keeps 15 bytes.
    public init(name: String) {
        let start = ThreadStart(name: name, queue: queue)
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let status = pthread_create(
            &thread, &attributes,
            { start in
                guard let start else { return nil }
                Unmanaged<ThreadStart>.fromOpaque(start).takeRetainedValue().run()
                return nil
            },
            Unmanaged.passRetained(start).toOpaque()
        )
        pthread_attr_destroy(&attributes)
        precondition(status == 0, "the system refuses another thread (\(name)): raise its limit of threads")
    }

    deinit { queue.close() }

    public func enqueue(_ job: consuming ExecutorJob) {
        queue.append(JobQueue.Entry(job: UnownedJob(job), executor: self))
    }

    /// Stops the program unless the caller runs on the executor's thread.
    public func checkIsolated() {
        precondition(queue.isCurrentThread, "expected to run on the executor's own thread")
    }

    public func isIsolatingCurrentContext() -> Bool? { queue.isCurrentThread }
}

/// What a new thread is given.
private final class ThreadStart {
    private let name: String
    private let queue: JobQueue

    init(name: String, queue: JobQueue) {
        self.name = name
        self.queue = queue
    }

    func run() {
        nameCurrentThread()
        queue.adoptCurrentThread()
        while queue.runNext() {}
    }
    /// By the kernel's file: `pthread_setname_np` is a GNU extension, which Swift does not import.
    private func nameCurrentThread() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = Array(name.utf8.prefix(15)).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
    }
}
