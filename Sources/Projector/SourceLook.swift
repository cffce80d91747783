import Events
import Models
import Values

/// The first look at a source of truth: which documents its rows would change.
struct SourceLook {
    struct Candidate: Sendable {
        /// Of the document; nil where there is none.
        var position: DocumentPosition?
        var difference: SourceDifference
    }

    private let reconcile: SourceReconcile
    private(set) var rows: Int64 = 0
    /// Nothing came, not even rows that were not wanted.
    private(set) var isEmpty = true
    private(set) var candidates: [ExactString: Candidate] = [:]
    private(set) var refusals = RowRefusals()
    private let salt = UInt64.random(in: .min ... .max)
    private let started = ContinuousClock.now

    init(_ reconcile: SourceReconcile) { self.reconcile = reconcile }

    mutating func read() async throws {
        var look = self
        var number: Int64 = 0
        try await reconcile.source.read(reconcile.plan.id.map { [$0] }) { page in
            try await look.take(page, from: number)
            number += Int64(page.count)
            look.isEmpty = false
            try await look.throttle(number)
        }
        self = look
    }

    private mutating func take(_ page: [[UInt8]], from number: Int64) async throws {
        let events = try reconcile.events(of: page, from: number, &refusals).filter(isWanted)
        rows += Int64(events.count)
        let documents = try await reconcile.documents(of: Array(Set(events.map { ExactString($0.key) })).map(\.text))
        for event in events {
            let key = ExactString(event.key)
            let document = documents[key]
            do throws(Refusal) {
                let after = try event.fold(reconcile.definition.fold, onto: document?.fields, reconcile.stream)
                var difference = candidates[key]?.difference ?? SourceDifference()
                if difference.add(after, of: document?.fields) { candidates[key] = Candidate(position: document?.position, difference: difference) }
            } catch {
                refusals.note(error, "the row of \(event.key)")
            }
        }
        guard candidates.count <= reconcile.limits.candidates else {
            throw Refusal(
                .tooMuchDrift,
                "more than \(reconcile.limits.candidates) documents of \(reconcile.definition.build) are not what the source of truth says: nothing was written; "
                    + "is it the right one?")
        }
    }

    private func isWanted(_ event: SourceEvent) -> Bool {
        if let id = reconcile.plan.id { return event.key.utf8Equal(id) }
        guard reconcile.plan.sample < 1 else { return true }
        // All rows of a key, or none.
        let drawn = Digest(of: Array(event.key.utf8) + withUnsafeBytes(of: salt) { Array($0) })
        return Double(drawn.low >> 11) * 0x1p-53 < reconcile.plan.sample
    }

    private func throttle(_ rows: Int64) async throws {
        guard let most = reconcile.plan.throttle else { return }
        let due = started + .seconds(Double(rows) / Double(most))
        if due > .now { try await Task.sleep(until: due) }
    }
}

extension SourceReconcile {
    func events(of page: [[UInt8]], from number: Int64, _ refusals: inout RowRefusals) throws(Refusal) -> [SourceEvent] {
        try SourceEvent.events(of: page, from: number, truth.mapping, stream, &refusals)
    }

    var tooMuch: Refusal {
        Refusal(
            .tooMuchDrift,
            "the rows of documents of \(definition.build) that differ from the source of truth have more than \(limits.bytes.bytes >> 20) MiB: nothing was written; "
                + "look at some of them with --sample")
    }

    /// The offset of the last event that a document comes of; of one that is absent, of the last event of its key.
    func lastOffset(of key: ExactString, _ document: StoredDocument?, _ partition: PartitionID) async throws -> Int64? {
        if let document { return document.position.offset }
        return try await Fault.borne("look for events of a key", logger) {
            guard let end = try await stores.documents.checkpoint(of: definition.build, partition)?.offset else { return nil }
            var last: Int64?
            var next: Int64 = 0
            while next < end, let chunk = try await stores.log.chunks(of: partition, withKeys: [key.text], next..<end).last {
                if let number = chunk.keys.firstIndex(of: key) {
                    let place = chunk.elements.lastIndex { $0.kind == .event && $0.key == Int32(number) }
                    last = place.map { chunk.offset + Int64($0) } ?? last
                }
                next = chunk.end
            }
            return last
        }
    }
}
