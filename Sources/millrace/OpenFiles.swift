import Glibc

/// How many files and connections the process may have open.
enum OpenFiles {
    /// Raises the limit to so many, or as far as it may be raised.
    static func allow(_ count: Int) {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < UInt(count) else { return }
        limit.rlim_cur = min(UInt(count), limit.rlim_max)
        setrlimit(files, &limit)
    }
}
