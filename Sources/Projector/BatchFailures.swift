/// The same error three times on one batch halves it.
struct BatchFailures {
    private var offset: Int64 = -1
    private var times = 0
    private var events = Int.max

    func limit(_ limit: Int, at offset: Int64) -> Int { offset == self.offset ? min(limit, events) : limit }

    mutating func count(at offset: Int64, events: Int) {
        if offset != self.offset { self = BatchFailures() }
        self.offset = offset
        times += 1
        if times % 3 == 0 { self.events = max(1, events / 2) }
    }
}
