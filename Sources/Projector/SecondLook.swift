import Events
import Models
import Values

/// The second look: only at the rows of documents that differed in the first one.
struct SecondLook {
    private let reconcile: SourceReconcile
    private let candidates: [ExactString: SourceLook.Candidate]
    private(set) var refusals: RowRefusals
    private(set) var corrections: [SourceCorrection] = []
    private var kept = 0

    init(_ reconcile: SourceReconcile, _ candidates: [ExactString: SourceLook.Candidate], _ refusals: RowRefusals) {
        self.reconcile = reconcile
        self.candidates = candidates
        self.refusals = refusals
    }

    mutating func read(_ findings: inout DriftFindings) async throws {
        for ids in asked() {
            let rows = try await Fault.borne("read the source of truth again", reconcile.logger) { try await collect(ids) }
            // A command may print more than it was asked for: that is looked at when it is.
            let wanted = ids.map { Set($0.map { ExactString($0) }) }
            try await decide(rows.filter { wanted?.contains($0.key) ?? true }, &findings)
        }
    }

    /// Those of candidates, by their keys.
    private func collect(_ ids: [String]?) async throws -> [ExactString: [SourceEvent]] {
        var rows: [ExactString: [SourceEvent]] = [:]
        var number: Int64 = 0
        // What is refused was refused in the first look.
        var again = RowRefusals()
        var bytes = 0
        try await reconcile.source.read(ids) { page in
            for event in try reconcile.events(of: page, from: number, &again) {
                let key = ExactString(event.key)
                guard candidates[key] != nil else { continue }
                rows[key, default: []].append(event)
                bytes += event.size
            }
            number += Int64(page.count)
            guard bytes <= reconcile.limits.bytes.bytes else { throw reconcile.tooMuch }
        }
        return rows
    }

    /// The keys that are asked for, run by run; nil for all rows in one.
    private func asked() -> [[String]?] {
        guard let most = reconcile.source.mostIds else { return [nil] }
        var runs: [[String]] = []
        var bytes = 0
        for key in candidates.keys.sorted() {
            // As JSON writes it, at worst.
            let size = 6 * key.text.utf8.count + 3
            if runs.isEmpty || runs[runs.count - 1].count == most.count || bytes + size > most.bytes {
                runs.append([])
                bytes = 0
            }
            runs[runs.count - 1].append(key.text)
            bytes += size
        }
        return runs.count <= reconcile.limits.runs ? runs : [nil]
    }

    private mutating func decide(_ rows: [ExactString: [SourceEvent]], _ findings: inout DriftFindings) async throws {
        let keys = rows.keys.sorted()
        for start in stride(from: 0, to: keys.count, by: SourceRow.page) {
            let page = keys[start..<min(keys.count, start + SourceRow.page)]
            let documents = try await reconcile.documents(of: page.map(\.text))
            for key in page { try await decide(key, rows[key] ?? [], documents[key], &findings) }
        }
    }

    private mutating func decide(_ key: ExactString, _ rows: [SourceEvent], _ document: StoredDocument?, _ findings: inout DriftFindings) async throws {
        guard let candidate = candidates[key], candidate.position == document?.position else { return }
        let verdict: SourceVerdict
        do throws(Refusal) {
            verdict = try SourceVerdict(rows, onto: document?.fields, reconcile.definition.fold, reconcile.stream)
        } catch {
            return refusals.note(error, "the row of \(key.text)")
        }
        guard verdict.isDrift(candidate.difference) else { return }
        let partition = reconcile.partition(of: key.text)
        try await findings.note([verdict.drift(key.text, partition)])
        guard reconcile.plan.isRepair else { return }
        let last = try await reconcile.lastOffset(of: key, document, partition)
        let correction = SourceCorrection(verdict.events, key.text, partition, reconcile.definition.build, last: last)
        kept += correction.bytes
        guard kept <= reconcile.limits.bytes.bytes else { throw reconcile.tooMuch }
        corrections.append(correction)
    }
}
