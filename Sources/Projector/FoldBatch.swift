import Events
import Models
import Values

/// One batch of a build in memory: elements of consecutive offsets folded onto the documents they touch. No I/O.
///
/// When its elements are folded, the batch can go on with those behind them: it keeps what became of the documents.
struct FoldBatch {
    /// Limits of what a batch takes; whichever is reached first ends it.
    struct Limits {
        /// Of the elements that are taken at once.
        var events: Int
        /// Of all that the batch touches.
        var documents: Int
    }

    /// Those that were taken last: the ones before them are folded.
    private(set) var elements: [Item] = []
    var slots: [Slot] = []
    /// How many documents the elements before had touched.
    private var known = 0
    /// The documents that these elements are the first to touch.
    var new: Range<Int> { known..<slots.count }
    /// The size of all documents, of which those that were not folded onto yet count nothing.
    private(set) var bytes = 0
    /// A document has outgrown the limit where that was not looked for, and what it was before is gone: the batch is good
    /// for nothing.
    private(set) var hasOutgrown = false
    /// The keys, numbered as their slots are.
    private var keys = NameTable()
    private var chunks: [Source]
    private let decisions: [Int64: Decision]
    /// Whether an event that cannot be taken ends the batch.
    private let stops: Bool
    /// How long documents live, in milliseconds.
    private let lifetime: Int64?

    /// A chunk, parsed or as it is in the log: that one is parsed when the fold gets to it. What was just parsed is still in
    /// the processor's cache then, one tape is in memory at a time, and nothing is parsed that the batch does not hold.
    enum Source {
        case parsed(DecodedChunk)
        case logged(Chunk)

        var chunk: Chunk {
            switch self {
            case .parsed(let decoded): decoded.chunk
            case .logged(let chunk): chunk
            }
        }

        func decoded(_ offsets: Range<Int64>) -> DecodedChunk {
            switch self {
            case .parsed(let decoded): decoded
            case .logged(let chunk): DecodedChunk(parsing: chunk, offsets)
            }
        }
    }

    /// An element: where it is, and which document it touches.
    struct Item {
        var chunk: Int32
        var place: Int32
        /// -1 for what touches none.
        var slot: Int32
    }

    /// Where the batch begins.
    private let first: Int64
    /// Where the elements begin that were taken last.
    private(set) var start: Int64
    private(set) var end: Int64
    /// Times of what was folded before.
    private var timeBefore: Int64?
    private var eventTimeBefore: Int64?

    /// Nothing was folded before its elements: they can be folded again.
    var isWhole: Bool { start == first }

    /// Takes the elements from `offset` on that the limits allow. `chunks` are consecutive, and hold `offset`.
    init(_ chunks: [Source], from offset: Int64, fold: any Folding, limits: Limits, decisions: [Int64: Decision] = [:]) {
        self.chunks = chunks
        self.decisions = decisions
        stops = fold.errorPolicy == .stop
        lifetime = fold.lifetime?.milliseconds
        (first, start, end) = (offset, offset, offset)
        take(fold, limits)
    }

    /// Goes on with the elements behind those that were folded. `chunks` are consecutive, and hold `end`.
    mutating func goOn(_ chunks: [Source], _ fold: any Folding, _ limits: Limits) {
        (timeBefore, eventTimeBefore) = (time, eventTime)
        self.chunks = chunks
        known = slots.count
        start = end
        elements.removeAll(keepingCapacity: true)
        take(fold, limits)
    }

    private mutating func take(_ fold: any Folding, _ limits: Limits) {
        // Room for all that there may be: a slot is large, and growing would copy what is there.
        let rest = chunks.enumerated().map { ($0, $1.chunk) }.filter { $1.end > start }
        elements.reserveCapacity(min(limits.events, rest.reduce(0) { $0 + $1.1.count }))
        let most = min(limits.documents, known + min(limits.events, rest.reduce(0) { $0 + $1.1.keys.count }))
        slots.reserveCapacity(most)
        keys.reserve(most)
        for (number, chunk) in rest {
            // Keys and types repeat within a chunk: each is looked up once.
            var slotOfKey = [Int32](repeating: -1, count: chunk.keys.count)
            let handled = chunk.types.map { fold.handles($0) }
            for place in max(0, Int(start - chunk.offset))..<chunk.count {
                guard elements.count < limits.events else { return }
                let element = chunk.elements[place]
                var slot: Int32 = -1
                if element.kind == .event, handled[Int(element.type)] {
                    slot = slotOfKey[Int(element.key)]
                    if slot < 0 {
                        guard let found = slotIndex(chunk.keys[Int(element.key)], limits) else { return }
                        slot = found
                        slotOfKey[Int(element.key)] = slot
                    }
                }
                elements.append(Item(chunk: Int32(number), place: Int32(place), slot: slot))
                end += 1
            }
        }
    }

    /// Takes only the events of some keys, at these offsets. It is of what was applied already: nothing stops there.
    init(of wanted: Set<ExactString>, _ decoded: DecodedChunk, _ offsets: Range<Int64>, fold: any Folding, decisions: [Int64: Decision]) {
        chunks = [.parsed(decoded)]
        self.decisions = decisions
        stops = false
        lifetime = fold.lifetime?.milliseconds
        (first, start) = (offsets.lowerBound, offsets.lowerBound)
        end = offsets.upperBound
        let chunk = decoded.chunk
        let handled = chunk.types.map { fold.handles($0) }
        let isWanted = chunk.keys.map(wanted.contains)
        for (place, element) in chunk.elements.enumerated()
        where element.kind == .event && isWanted[Int(element.key)] && offsets.contains(chunk.offset + Int64(place)) {
            var slot: Int32 = -1
            if handled[Int(element.type)] {
                let number = keys.number(of: chunk.keys[Int(element.key)])
                if number == slots.count { slots.append(Slot(key: chunk.keys[Int(element.key)])) }
                slot = Int32(number)
            }
            elements.append(Item(chunk: 0, place: Int32(place), slot: slot))
        }
    }

    private mutating func slotIndex(_ key: ExactString, _ limits: Limits) -> Int32? {
        guard slots.count < limits.documents else { return keys.find(key).map(Int32.init) }
        let slot = keys.number(of: key)
        if slot == slots.count { slots.append(Slot(key: key)) }
        return Int32(slot)
    }

    /// The slot of a key, if the batch touches its document.
    func place(of key: String) -> Int? { keys.find(ExactString(key)) }

    /// Ends the batch before the first element of a document from `slot` on: their documents are not loaded.
    mutating func truncate(documents: Int) {
        guard documents < slots.count else { return }
        if let first = elements.firstIndex(where: { $0.slot >= documents }) {
            elements.removeSubrange(first...)
            end = start + Int64(elements.count)
        }
        keys.truncate(to: documents)
        slots.removeSubrange(documents...)
    }

    /// Ends the batch before an element, and leaves no document that only later ones touch.
    private mutating func truncate(before item: Item) {
        elements.removeSubrange((Int(offset(of: item) - start))...)
        end = start + Int64(elements.count)
        truncate(documents: max(known, Int((elements.lazy.map(\.slot).max() ?? -1) + 1)))
    }

    /// When the last element was logged; nil where there is none.
    var time: Int64? { elements.last.map { chunks[Int($0.chunk)].chunk.at } ?? timeBefore }

    /// When the last element happened, as it says itself; nil where it does not say.
    var eventTime: Int64? {
        guard let last = elements.last else { return eventTimeBefore }
        let chunk = chunks[Int(last.chunk)].chunk
        return chunk.time(of: chunk.elements[Int(last.place)])
    }

    /// What folding the batch gives.
    struct Outcome {
        var totals: ProjectionTotals
        var deadLetters: [DeadLetter] = []
        var unknownTypes = UnknownTypes()
        /// The event that the batch ends before, because the model cannot take it.
        var stopped: Standstill?
    }

    /// Folds the elements that were taken last, in order, onto the documents. Where one stops the model, the batch ends
    /// before it.
    ///
    /// - Parameter before: what folding gave up to them.
    mutating func fold(_ fold: any Folding, build: BuildID, after before: Outcome) -> Outcome {
        while true {
            for slot in new { slots[slot].begin() }
            let outcome = foldElements(fold, build, before)
            let isTooLarge = measure()
            // Watched, the event that goes too far is parked.
            guard isTooLarge, isWhole else {
                hasOutgrown = isTooLarge
                return outcome
            }
        }
    }

    /// Adds up how large the documents are. True where one has grown beyond the limit unwatched; from here on it is watched.
    private mutating func measure() -> Bool {
        bytes = 0
        var isTooLarge = false
        for slot in slots.indices {
            slots[slot].measure(from: start)
            bytes += slots[slot].size
            guard slots[slot].size > Model.maximumDocumentSize.bytes / 4, !slots[slot].checksSize else { continue }
            slots[slot].checksSize = true
            if slots[slot].size > Model.maximumDocumentSize.bytes { isTooLarge = true }
        }
        return isTooLarge
    }

    /// Encodes what has become of the documents.
    mutating func encode() {
        for slot in slots.indices { slots[slot].encode() }
    }

    private mutating func foldElements(_ fold: any Folding, _ build: BuildID, _ before: Outcome) -> Outcome {
        var outcome = before
        var place = 0
        while place < elements.count {
            let number = elements[place].chunk
            let decoded = chunks[Int(number)].decoded(start..<end)
            repeat {
                guard take(elements[place], of: decoded, fold, build, &outcome) else { return outcome }
                place += 1
            } while place < elements.count && elements[place].chunk == number
        }
        return outcome
    }

    /// False where the element stops the model.
    private mutating func take(_ item: Item, of decoded: DecodedChunk, _ fold: any Folding, _ build: BuildID, _ outcome: inout Outcome) -> Bool {
        let element = decoded.chunk.elements[Int(item.place)]
        switch element.kind {
        case .duplicate: outcome.totals.duplicates += 1
        case .erased:
            outcome.totals.logged += 1
            outcome.totals.ignored += 1
        case .refused:
            outcome.totals.logged += 1
            guard decision(on: item) != .dropped else {
                outcome.totals.ignored += 1
                return true
            }
            outcome.totals.parked += 1
            outcome.deadLetters.append(letter(item, nil, decoded.chunk.refusals[Int(element.reference)]))
        case .event:
            outcome.totals.logged += 1
            switch decision(on: item) {
            case .crashParked? where stops:
                stop(at: item, of: decoded, build, .crashParked("folding it"), &outcome)
                return false
            case .crashParked?:
                outcome.totals.parked += 1
                hold(item, fold)
                outcome.deadLetters.append(letter(item, build, .crashParked("folding it")))
                return true
            case .dropped?:
                outcome.totals.ignored += 1
                return true
            case nil: break
            }
            guard item.slot >= 0 else {
                outcome.totals.ignored += 1
                outcome.unknownTypes.count(item, decoded.chunk)
                return true
            }
            guard !slots[Int(item.slot)].isHeld else {
                outcome.totals.held += 1
                return true
            }
            do throws(Refusal) {
                try apply(fold, decoded, item)
                outcome.totals.applied += 1
            } catch {
                guard !stops else {
                    stop(at: item, of: decoded, build, error, &outcome)
                    return false
                }
                outcome.totals.parked += 1
                hold(item, fold)
                outcome.deadLetters.append(letter(item, build, error))
            }
        }
        return true
    }

    /// Holds the later events of an element's key, where the model says so.
    private mutating func hold(_ item: Item, _ fold: any Folding) {
        if fold.errorPolicy == .hold, item.slot >= 0 { slots[Int(item.slot)].isHeld = true }
    }

    private mutating func stop(at item: Item, of decoded: DecodedChunk, _ build: BuildID, _ refusal: Refusal, _ outcome: inout Outcome) {
        let letter = letter(item, build, refusal)
        let id = decoded.event(at: Int(item.place))?.value(.eventId, [])?.asString
        outcome.totals.logged -= 1
        outcome.stopped = Standstill(
            build: build, partition: letter.partition, offset: letter.offset, eventId: id, type: letter.type, key: letter.key, refusal: refusal)
        truncate(before: item)
    }

    private func offset(of item: Item) -> Int64 { chunks[Int(item.chunk)].chunk.offset + Int64(item.place) }

    private func decision(on item: Item) -> Decision? { decisions.isEmpty ? nil : decisions[offset(of: item)] }

    private mutating func apply(_ fold: any Folding, _ decoded: DecodedChunk, _ item: Item) throws(Refusal) {
        let slot = Int(item.slot)
        CrashPoint.folding(decoded.chunk.bytes(at: Int(item.place)))
        guard let event = decoded.event(at: Int(item.place)) else {
            throw Refusal(.logDamaged, "the event's bytes no longer parse, though they did when it was logged")
        }
        if let expires = slots[slot].expires, expires <= decoded.chunk.at { (slots[slot].fields, slots[slot].expires) = (nil, nil) }
        guard slots[slot].checksSize || slots[slot].isSuspect else {
            if try fold.fold(event, into: &slots[slot].fields) { changed(slot, by: event, decoded, item) }
            return
        }
        // A document that has come near its limit, or may have by what the log makes it: each event is checked, so that
        // the one that goes too far is parked.
        var fields = slots[slot].fields
        let changed = try fold.fold(event, into: &fields)
        if let grown = fields {
            let size = BSON.size(of: grown)
            guard size <= Model.maximumDocumentSize.bytes else {
                throw Refusal(.documentTooLarge, "the document would have \(size) bytes, above the limit of \(Model.maximumDocumentSize.bytes)")
            }
        }
        slots[slot].fields = fields
        if changed { self.changed(slot, by: event, decoded, item) }
    }

    private mutating func changed(_ slot: Int, by event: Event, _ decoded: DecodedChunk, _ item: Item) {
        slots[slot].position = DocumentPosition(
            partition: decoded.chunk.partition.number, offset: decoded.chunk.offset + Int64(item.place), time: event.time ?? decoded.chunk.at
        )
        if let lifetime { slots[slot].expires = decoded.chunk.at + lifetime }
    }

    private func letter(_ item: Item, _ build: BuildID?, _ refusal: Refusal) -> DeadLetter {
        let chunk = chunks[Int(item.chunk)].chunk
        let element = chunk.elements[Int(item.place)]
        return DeadLetter(
            build: build, partition: chunk.partition, offset: offset(of: item), refusal: refusal, key: chunk.key(of: element),
            type: chunk.type(of: element), at: chunk.at
        )
    }
}
