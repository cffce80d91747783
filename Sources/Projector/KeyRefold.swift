import Events
import Models
import Values

/// The documents of some keys folded again under other decisions, and what that changes: documents, dead letters and what
/// became of the events.
struct KeyRefold {
    /// Too much for one transaction: fewer keys are to be tried.
    struct TooLarge: Error {}

    let build: BuildID
    private let partition: PartitionID
    private let store: any RepairStore
    private let log: any EventLog
    /// Under the decisions so far; nil where they stay, and both would be the same.
    private var before: KeyHistory?
    private var after: KeyHistory
    /// The letters that something is done about, by offset.
    private let targets: [Int64: DeadLetter]
    private let action: LetterAction
    private var decisions: [Int64: Decision]
    private(set) var changed: [DeadLetter] = []
    private(set) var removed: [DeadLetterID] = []
    /// The targets that are parked still, as they are now.
    private(set) var parked: [Int64: DeadLetter] = [:]

    /// Bytes of documents that are folded at once.
    private static let mostBytes = ByteCount.mebibytes(48).bytes

    /// - Parameter others: targets of builds that nobody folds: their letters stay, with what was decided.
    init(
        _ action: LetterAction, _ targets: [DeadLetter], others: [DeadLetter], build: BuildID, partition: PartitionID, fold: any Folding,
        decisions: [Int64: Decision],
        store: any RepairStore, log: any EventLog
    ) {
        self.action = action
        self.build = build
        self.partition = partition
        self.store = store
        self.log = log
        self.targets = Dictionary(targets.map { ($0.offset, $0) }, uniquingKeysWith: { first, _ in first })
        let keys = targets.compactMap(\.key)
        self.decisions = Self.decide(action, self.targets, decisions)
        after = KeyHistory(of: keys, build: build, fold: fold, decisions: self.decisions)
        if self.decisions != decisions { before = KeyHistory(of: keys, build: build, fold: fold, decisions: decisions) }
        for target in others {
            var letter = target
            letter.decision = action.decision(on: target)
            if letter != target { changed.append(letter) }
        }
    }

    private static func decide(_ action: LetterAction, _ targets: [Int64: DeadLetter], _ decisions: [Int64: Decision]) -> [Int64: Decision] {
        var decided = decisions
        for (offset, letter) in targets { decided[offset] = action.decision(on: letter) }
        return decided
    }

    /// The keys, where they are few enough to be looked for one by one.
    var indexedKeys: [String]? { after.isIndexed ? keys : nil }

    var keys: [String] { after.keys.map(\.text) }

    /// Whether anything is to be written, as far as the log was read.
    var isIdle: Bool { before == nil && changed.isEmpty && removed.isEmpty }

    /// Adds decisions about events that are still to come.
    mutating func add(_ more: [Int64: Decision]) {
        before?.add(more)
        let decided = Self.decide(action, targets, more)
        decisions.merge(decided) { $1 }
        after.add(decided)
    }

    /// Goes to where the build's history begins, before anything is read.
    mutating func begin() async throws {
        guard let start = try await store.beginning(of: after.keys, in: build, partition) else { return }
        before?.begin(with: start.rows, at: start.offset)
        after.begin(with: start.rows, at: start.offset)
    }

    /// Folds what the log has of the keys up to an offset, and compares the letters that it makes with those that are
    /// stored.
    mutating func read(below limit: Int64) async throws {
        while let chunks = try await KeyHistory.next(log, partition, after.keys, after.end..<limit) {
            let start = after.end
            var made: [Int64: DeadLetter] = [:]
            for chunk in chunks {
                let decoded = DecodedChunk(parsing: chunk, after.end..<limit)
                before?.take(decoded, below: limit)
                for letter in after.take(decoded, below: limit) { made[letter.offset] = letter }
            }
            try await compare(made, start..<after.end)
            if after.bytes > Self.mostBytes, after.keys.count > 1 { throw TooLarge() }
        }
        before?.skip(to: limit)
        after.skip(to: limit)
    }

    private mutating func compare(_ made: [Int64: DeadLetter], _ offsets: Range<Int64>) async throws {
        var made = made
        for (offset, letter) in made where targets[offset] != nil { parked[offset] = letter }
        for letter in try await store.letters(of: build, partition, keys: indexedKeys, offsets) {
            guard let key = letter.key, after.keys.contains(ExactString(key)) else { continue }
            if let now = made.removeValue(forKey: letter.offset) {
                if now != letter { changed.append(now) }
            } else if decisions[letter.offset] == .dropped {
                var dropped = letter
                dropped.decision = .dropped
                if dropped != letter { changed.append(dropped) }
            } else {
                removed.append(letter.id)
            }
        }
        changed += made.values.sorted { $0.offset < $1.offset }
    }

    /// The targets that the fold gives the same reason for as before.
    var unchanged: Int { parked.count { offset, letter in targets[offset].map { $0.decision == nil && $0.refusal == letter.refusal } ?? false } }

    /// What is to be added to what the checkpoint counts.
    var totals: ProjectionTotals {
        guard let before else { return ProjectionTotals() }
        return after.totals - before.totals
    }

    /// The writes that make stored documents what the log makes them, and how many of them were not even what it had
    /// made them before. What has expired counts as absent, since it is removed at any time.
    ///
    /// - Parameter time: the checkpoint's.
    func writes(_ stored: [(key: String, bson: [UInt8])], at time: Int64) throws -> (writes: [DocumentWrite], drift: Int64) {
        let found = Dictionary(stored.map { (ExactString($0.key), $0.bson) }, uniquingKeysWith: { $1 })
        var writes: [DocumentWrite] = []
        var drift: Int64 = 0
        for key in after.keys {
            let now = try found[key].flatMap { (StoredDocument(try Document(bson: $0))?.isExpired(at: time) ?? false) ? nil : $0 }
            let wanted = after.document(of: key.text)?.unlessExpired(at: time)?.bson
            if now != (before ?? after).document(of: key.text)?.unlessExpired(at: time)?.bson { drift += 1 }
            guard now != wanted else { continue }
            writes.append(wanted.map { .put(key: key.text, bson: $0) } ?? .delete(key: key.text))
        }
        return (writes, drift)
    }
}
