import Events
import Models
import Values

/// Batches that were folded one after the other, and are committed as one: a document that all of them changed is written
/// once.
struct GatheredBatches {
    private var commit: Commit?
    private var places: [ExactString: Int] = [:]
    /// nil where nothing is to be done.
    private var writes: [DocumentWrite?] = []
    /// What becomes of each document; empty where there is none then.
    private var documents: [[UInt8]] = []
    private(set) var bytes = 0
    private(set) var events = 0
    private(set) var since = ContinuousClock.now

    var documentCount: Int { documents.count }

    /// Whether what must be stored before the next batch is read is among it: letters hold later events back, a document
    /// that somebody else has written is looked at in the store, and a build that is stopped says so.
    var mustBeStored: Bool {
        guard let commit else { return false }
        return !commit.deadLetters.isEmpty || commit.to.stopped != nil || hasPut
    }
    private var hasPut = false

    /// What the batches so far make of a document: empty for none, nil where they do not touch it.
    func document(of key: ExactString) -> [UInt8]? { places[key].map { documents[$0] } }

    /// Adds the batch that follows those which are there.
    mutating func add(_ next: Commit, _ batch: FoldBatch) {
        if commit == nil { since = .now }
        events += batch.elements.count
        commit = commit.map {
            Commit(from: $0.from, to: next.to, writes: [], deadLetters: $0.deadLetters + next.deadLetters, unknownTypes: $0.unknownTypes + next.unknownTypes)
        }
        // In the order of the slots: a key that is looked up is hashed again.
        var slot = 0
        for write in next.writes {
            while !batch.slots[slot].key.text.utf8Equal(write.key) { slot += 1 }
            let (key, bson) = (batch.slots[slot].key, batch.slots[slot].bson)
            if case .put = write { hasPut = true }
            if let place = places[key] {
                writes[place] = Self.both(writes[place], write, bson)
                bytes += bson.count - documents[place].count
                documents[place] = bson
            } else {
                places[key] = writes.count
                writes.append(write)
                documents.append(bson)
                bytes += bson.count
            }
        }
        if commit == nil { commit = Commit(from: next.from, to: next.to, writes: [], deadLetters: next.deadLetters, unknownTypes: next.unknownTypes) }
    }

    /// All of them as one; nil where there are none. None are left.
    mutating func take() -> Commit? {
        defer { self = GatheredBatches() }
        commit?.writes = writes.compactMap { $0 }
        return commit
    }

    /// What comes to the same as two writes of a document, the second of which makes it `bson`.
    private static func both(_ first: DocumentWrite?, _ second: DocumentWrite, _ bson: [UInt8]) -> DocumentWrite? {
        switch (first, second) {
        case (nil, _): second
        case (.insert, .delete): nil
        case (.insert(let key, _), _): .insert(key: key, bson: bson)
        case (.update, .delete), (.replace, .delete), (.put, .delete), (.delete, .delete): second
        case (.put(let key, _), _): .put(key: key, bson: bson)
        case (.update(let key, _, _), _), (.replace(let key, _), _), (.delete(let key), _): .replace(key: key, bson: bson)
        }
    }
}
