/// The same error three times on one batch halves it. The batches after it are as small, since what was too much for
/// MongoDB once is so again; every eight that go well double them.
struct BatchFailures {
    private var offset: Int64 = -1
    private var times = 0
    private var good = 0
    private var events = Int.max

    func limit(_ limit: Int) -> Int { min(limit, events) }

    mutating func count(at offset: Int64, events: Int) {
        if offset != self.offset { times = 0 }
        self.offset = offset
        times += 1
        good = 0
        if times % 3 == 0 { self.events = max(1, events / 2) }
    }

    mutating func succeeded() {
        times = 0
        good += 1
        guard good == 8 else { return }
        good = 0
        events = events > Int.max / 2 ? .max : events * 2
    }
}
