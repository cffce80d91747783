import Events
import Models
import Values

/// Goes through the stored documents and the snapshots of their partitions, and has looked at again what is not the same in
/// both: by sums, in the order in which documents are stored; or else along both in the order of their keys.
struct DocumentComparison {
    private let reconcile: Reconcile
    private let bases: [Reconcile.Base]
    private var suspects: [[ExactString]]
    private let started = ContinuousClock.now

    init(_ reconcile: Reconcile, _ bases: [Reconcile.Base]) {
        self.reconcile = reconcile
        self.bases = bases
        suspects = Array(repeating: [], count: bases.count)
    }

    mutating func run(_ findings: inout DriftFindings) async throws {
        if reconcile.plan.sample < 1 {
            for place in bases.indices { try await sample(place, &findings) }
        } else if try await !compareSums(&findings) {
            try await run(cursors(), from: .at(""), below: nil, only: nil, &findings)
        }
        for place in bases.indices { try await lookAgain(place, &findings) }
    }

    private func cursors() -> [SnapshotCursor] {
        bases.map { SnapshotCursor($0.snapshot, 0..<($0.snapshot?.blocks ?? 0), reconcile.stores.snapshots) }
    }

    /// Compares by sums, and one by one what they tell apart. False where that is too much to be held in memory, and where the
    /// documents are to be read at a pace, which is what pages are for.
    private mutating func compareSums(_ findings: inout DriftFindings) async throws -> Bool {
        guard reconcile.plan.throttle == nil else { return false }
        let (scan, build, most) = (reconcile.stores.scan, reconcile.definition.build, reconcile.limits.held)
        async let scanned = scan.sums(of: build)
        var wanted = DocumentSums()
        try await forEachRow { _, key, digest in wanted.add(key, digest) }
        let stored = try await scanned
        let buckets = stored.differences(from: wanted)
        guard !buckets.isEmpty else {
            findings.outcome.counts.documents += stored.documents
            return true
        }
        // Half, since chance puts more into some buckets than into others.
        guard Double(max(stored.documents, wanted.documents)) * buckets.part <= Double(most / 2),
            let found = try await scan.documents(of: build, in: buckets, most: most)
        else { return false }
        findings.outcome.counts.documents += stored.documents
        var rows: [ExactString: (place: Int, digest: Digest)] = [:]
        try await forEachRow { place, key, digest in
            if buckets.contains(key) { rows[ExactString(String(decoding: key, as: UTF8.self))] = (place, digest) }
        }
        var differing: [(key: ExactString, place: Int)] = []
        for number in found.digests.indices {
            let key = ExactString(found.keys[number])
            if rows.removeValue(forKey: key)?.digest == found.digests[number] { continue }
            differing.append((key, bases.count == 1 ? 0 : found.keys.partition(at: number, of: bases.count)))
        }
        findings.outcome.counts.documents += Int64(rows.count)
        differing += rows.map { ($0.key, $0.value.place) }
        for (key, place) in differing.sorted(by: { $0.key < $1.key }) { try await suspect(key, place, &findings) }
        return true
    }

    /// The documents of all snapshots: which partition each is of, its key in UTF-8, and its digest.
    private func forEachRow(_ body: (_ place: Int, _ key: UnsafeRawBufferPointer, _ digest: Digest) -> Void) async throws {
        for (place, cursor) in cursors().enumerated() {
            var cursor = cursor
            while try await hasRow(&cursor) {
                cursor.index.forEachDocument { body(place, $0, $1) }
                cursor.pass()
            }
        }
    }

    /// Draws blocks of a snapshot, and compares what lies between their first keys and those of the next.
    private mutating func sample(_ place: Int, _ findings: inout DriftFindings) async throws {
        guard let snapshot = bases[place].snapshot, snapshot.blocks > 0 else { return }
        let wanted = max(1, Int((Double(snapshot.blocks) * reconcile.plan.sample).rounded(.up)))
        for block in (0..<snapshot.blocks).shuffled().prefix(wanted) {
            let numbers = block..<min(snapshot.blocks, block + 2)
            let indexes = try await reconcile.stores.snapshots.indexes(of: snapshot.id, numbers)
            guard indexes.count == numbers.count, let own = indexes.first, !own.keys.isEmpty else {
                throw SnapshotDamaged(snapshot.id, "blocks are missing")
            }
            var cursors = bases.map { _ in SnapshotCursor(nil, 0..<0, reconcile.stores.snapshots) }
            cursors[place] = SnapshotCursor(snapshot, block..<block + 1, reconcile.stores.snapshots)
            let end = indexes.count > 1 ? indexes[1].keys[0] : nil
            try await run(cursors, from: .at(block == 0 ? "" : own.keys[0]), below: end, only: place, &findings)
        }
    }

    /// - Parameter only: the partition whose documents are compared; nil for all.
    private mutating func run(
        _ cursors: [SnapshotCursor], from start: ScanStart, below end: String?, only: Int?, _ findings: inout DriftFindings
    ) async throws {
        var cursors = cursors
        let (scan, build, most) = (reconcile.stores.scan, reconcile.definition.build, reconcile.limits.page)
        var page = try await scan.page(of: build, from: start, below: end, most: most)
        while let last = page.keys.last {
            let (isLast, current) = (page.isLast, page)
            // The next page is on its way while this one is compared.
            async let next = isLast ? ScannedPage() : scan.page(of: build, from: .after(last), below: end, most: most)
            try await compare(current, &cursors, only, &findings)
            try await throttle(findings.outcome.counts.documents)
            page = try await next
        }
        for place in cursors.indices {
            while try await hasRow(&cursors[place]) {
                try await suspectMissing(&cursors[place], place, &findings)
            }
        }
    }

    private mutating func compare(
        _ page: ScannedPage, _ cursors: inout [SnapshotCursor], _ only: Int?, _ findings: inout DriftFindings
    ) async throws {
        var document = 0
        while document < page.keys.count {
            if only == nil {
                let same = Self.pass(page, from: document, &cursors)
                findings.outcome.counts.documents += Int64(same)
                document += same
                if document == page.keys.count { break }
            }
            defer { document += 1 }
            let place = cursors.count == 1 ? 0 : page.keys.partition(at: document, of: cursors.count)
            if let only, only != place { continue }
            findings.outcome.counts.documents += 1
            var isAsItShouldBe = false
            while try await hasRow(&cursors[place]) {
                let (index, row) = (cursors[place].index, cursors[place].place)
                if index.keys.isEqual(at: row, to: page.keys, at: document) {
                    isAsItShouldBe = index.digests[row] == page.digests[document]
                    cursors[place].advance()
                    break
                }
                guard index.keys.isBefore(row, page.keys, document) else { break }
                try await suspectMissing(&cursors[place], place, &findings)
            }
            if !isAsItShouldBe { try await suspect(ExactString(page.keys[document]), place, &findings) }
        }
    }

    /// Goes along documents that are as they should be: how many there are. Nearly all of them, so that nothing is
    /// waited for here, and nothing copied.
    private static func pass(_ page: ScannedPage, from first: Int, _ cursors: inout [SnapshotCursor]) -> Int {
        var document = first
        while document < page.keys.count {
            let place = cursors.count == 1 ? 0 : page.keys.partition(at: document, of: cursors.count)
            guard cursors[place].isSame(as: page, at: document) else { break }
            cursors[place].advance()
            document += 1
        }
        return document - first
    }

    private func hasRow(_ cursor: inout SnapshotCursor) async throws -> Bool {
        guard cursor.isEmpty else { return true }
        return try await cursor.fill()
    }

    /// A row that no stored document stands against.
    private mutating func suspectMissing(_ cursor: inout SnapshotCursor, _ place: Int, _ findings: inout DriftFindings) async throws {
        let row = cursor.place
        cursor.advance()
        guard cursor.index.digests[row] != .none else { return }
        findings.outcome.counts.documents += 1
        try await suspect(ExactString(cursor.index.keys[row]), place, &findings)
    }

    private mutating func suspect(_ key: ExactString, _ place: Int, _ findings: inout DriftFindings) async throws {
        // Those were looked at before.
        guard !bases[place].touched.contains(key) else { return }
        suspects[place].append(key)
        if suspects[place].count >= DriftCheck.mostKeys { try await lookAgain(place, &findings) }
    }

    private mutating func lookAgain(_ place: Int, _ findings: inout DriftFindings) async throws {
        let keys = suspects[place]
        suspects[place] = []
        try await findings.take(keys, in: bases[place].id, reconcile.check(bases[place].id, bases[place].snapshot))
    }

    private func throttle(_ documents: Int64) async throws {
        guard let most = reconcile.plan.throttle else { return }
        let due = started + .seconds(Double(documents) / Double(most))
        if due > .now { try await Task.sleep(until: due) }
    }
}

extension KeyColumn {
    fileprivate func partition(at place: Int, of count: Int) -> Int { Partitioning.partition(of: bytes[range(at: place)], count: count) }
}
