import Events
import Models
import Projector
import Values

/// One case, folded: whole, cut at every boundary, and repeated and reordered where it says so.
struct CaseRun {
    let of: Case
    let fold: any Folding
    let build: BuildID
    let stream: StreamSettings

    /// What became of each event, and what is stored then.
    struct End {
        /// By the event's place.
        var fates: [Fate]
        var documents: [(id: String, fields: Document)]
    }

    enum Fate: Hashable {
        case applied, ignored, duplicate, held
        /// Behind the event that stopped the model.
        case waiting
        case parked(Refusal)
        case stopped(Refusal)
    }

    /// What the events give, and how other ways of folding them differ from that.
    func run() throws -> (end: End, differences: [CaseDifference]) {
        var log = CaseLog(stream)
        log.append(numbered(of.elements))
        let whole = try fold(log, cuts: [])
        let (stepped, fates) = try steps(log)
        let end = End(fates: fates, documents: try documents(whole, log))
        var differences: [CaseDifference] = []
        differences += try cutDifference(whole, log, stepped)
        if of.isRepeatable { differences += try repeatDifferences(end) }
        if of.isUnordered { differences += try orderDifferences(end) }
        return (end, differences)
    }

    private func numbered(_ elements: [Case.Element]) -> [CaseLog.Entry] {
        elements.enumerated().map { CaseLog.Entry(number: $0.offset + 1, element: $0.element, delay: delay(of: $0.offset)) }
    }

    /// Milliseconds from the first instant to the one at which the element of a place is logged.
    private func delay(of place: Int) -> Int64 {
        of.delays.filter { $0.key <= place + 1 }.max { $0.key < $1.key }.map { Int64($0.value / .milliseconds(1)) } ?? 0
    }

    private func begin() -> Rehearsal {
        let position = DocumentPosition(partition: 0, offset: CaseLog.start - 1, time: 0)
        let expires = fold.lifetime.map { CaseLog.time + Int64($0 / .milliseconds(1)) }
        let documents = of.documents.map { StoredDocument(key: $0.id, position: position, expires: expires, fields: $0.fields) }
        return Rehearsal(fold: fold, build: build, documents: documents, from: CaseLog.start)
    }

    /// Folds the log in batches that end at the cuts and at its end.
    private func fold(_ log: CaseLog, cuts: [Int64]) throws -> Rehearsal {
        var rehearsal = begin()
        for end in cuts + [log.end] { try rehearsal.take(log.chunks, to: end) }
        return rehearsal
    }

    /// Every stored document: those that the case names first, in its order.
    private func documents(_ rehearsal: Rehearsal, _ log: CaseLog) throws -> [(id: String, fields: Document)] {
        var table = NameTable()
        let rest = rehearsal.documents.keys.sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
        for key in of.documents.map({ ExactString($0.id) }) + log.chunks.flatMap(\.chunk.keys) + rest { _ = table.number(of: key) }
        return try table.names.compactMap { key in try rehearsal.document(of: key).map { (key.text, $0.fields) } }
    }

    // MARK: Cuts

    /// Folds each element as a batch of its own, and says what became of it.
    private func steps(_ log: CaseLog) throws -> (Rehearsal, [Fate]) {
        var rehearsal = begin()
        var fates: [Fate] = []
        for offset in CaseLog.start..<log.end {
            let before = rehearsal.totals
            try rehearsal.take(log.chunks, to: offset + 1)
            let after = rehearsal.totals
            let letter = rehearsal.deadLetters.last { $0.offset == offset }
            if let stopped = rehearsal.stopped {
                fates.append(stopped.offset == offset ? .stopped(stopped.refusal) : .waiting)
            } else if let letter, after.parked > before.parked {
                fates.append(.parked(letter.refusal))
            } else if after.applied > before.applied {
                fates.append(.applied)
            } else if after.held > before.held {
                fates.append(.held)
            } else {
                fates.append(after.duplicates > before.duplicates ? .duplicate : .ignored)
            }
        }
        return (rehearsal, fates)
    }

    /// The first cut after which something else comes out.
    private func cutDifference(_ whole: Rehearsal, _ log: CaseLog, _ stepped: Rehearsal) throws -> [CaseDifference] {
        for cut in (CaseLog.start + 1)..<max(log.end, CaseLog.start + 2) where cut < log.end {
            let other = try fold(log, cuts: [cut])
            if let difference = try difference("cut after event \(cut - CaseLog.start)", whole, other, log) { return [difference] }
        }
        return try difference("cut after every event", whole, stepped, log).map { [$0] } ?? []
    }

    /// Everything counts here, positions and dead letters among it: a cut must show nowhere.
    private func difference(_ how: String, _ whole: Rehearsal, _ other: Rehearsal, _ log: CaseLog) throws -> CaseDifference? {
        var lines = CaseDifference.lines(expected: try documents(whole, log), found: try documents(other, log), "uncut")
        if lines.isEmpty, whole.documents != other.documents { lines.append("a document's _position differs") }
        if whole.deadLetters != other.deadLetters { lines.append("other events are parked, or for other reasons") }
        if whole.stopped != other.stopped { lines.append("the model is stopped elsewhere, or for another reason") }
        if whole.totals != other.totals { lines.append("the totals differ") }
        return lines.isEmpty ? nil : CaseDifference(what: "\(how), the fold gives something else than uncut", lines: lines)
    }

    // MARK: Repeats and orders

    /// Producers send an event again when they do not know whether it arrived.
    private func repeatDifferences(_ end: End) throws -> [CaseDifference] {
        let elements = numbered(of.elements)
        var all = CaseLog(stream)
        all.append(elements)
        let last = elements.last?.delay ?? 0
        all.append(elements.map { CaseLog.Entry(number: $0.number, element: $0.element, delay: last) }, suffix: Self.again)
        var each = CaseLog(stream)
        for element in elements {
            each.append([element])
            each.append([element], suffix: Self.again)
        }
        return try [("all events come a second time, with fresh ids", all), ("each event comes twice, with fresh ids", each)].compactMap { how, log in
            let found = try documents(try fold(log, cuts: []), log)
            let lines = CaseDifference.lines(expected: end.documents, found: found, "once")
            return lines.isEmpty ? nil : CaseDifference(what: "not repeatable: when \(how), something else comes out", lines: lines)
        }
    }

    private static let again = "-again"

    /// The first order that gives something else.
    private func orderDifferences(_ end: End) throws -> [CaseDifference] {
        for order in Self.orders(of.elements.count).dropFirst() {
            var log = CaseLog(stream)
            // Instants belong to places, not to events.
            log.append(order.enumerated().map { CaseLog.Entry(number: $1 + 1, element: of.elements[$1], delay: delay(of: $0)) })
            let lines = CaseDifference.lines(expected: end.documents, found: try documents(try fold(log, cuts: []), log), "in order")
            guard !lines.isEmpty else { continue }
            let names = order.map { String($0 + 1) }.joined(separator: ", ")
            return [CaseDifference(what: "not the same in all orders: when the events come in the order \(names), something else comes out", lines: lines)]
        }
        return []
    }

    /// Every order of so many things, the given one first.
    static func orders(_ count: Int) -> [[Int]] {
        guard count > 0 else { return [[]] }
        return orders(count - 1).flatMap { order in order.indices.reversed().map { insert(count - 1, $0 + 1, order) } + [insert(count - 1, 0, order)] }
    }

    private static func insert(_ element: Int, _ place: Int, _ order: [Int]) -> [Int] {
        var order = order
        order.insert(element, at: place)
        return order
    }
}
