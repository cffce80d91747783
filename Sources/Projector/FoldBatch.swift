import Events
import Models
import Values

/// One batch of a build in memory: elements of consecutive offsets folded onto the documents they touch. No I/O.
struct FoldBatch {
    /// Limits of a batch; whichever is reached first ends it.
    struct Limits {
        var events: Int
        var documents: Int
    }

    private(set) var elements: [Item] = []
    var slots: [Slot] = []
    /// The keys, numbered as their slots are.
    private var keys = NameTable()
    private let chunks: [Source]
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

    let start: Int64
    private(set) var end: Int64

    /// Takes the elements from `offset` on that the limits allow. `chunks` are consecutive, and hold `offset`.
    init(_ chunks: [Source], from offset: Int64, fold: any Folding, limits: Limits, decisions: [Int64: Decision] = [:]) {
        self.chunks = chunks
        self.decisions = decisions
        stops = fold.errorPolicy == .stop
        lifetime = fold.lifetime?.milliseconds
        start = offset
        end = offset
        // Room for all that there may be: a slot is large, and growing would copy what is there.
        let rest = chunks.enumerated().map { ($0, $1.chunk) }.filter { $1.end > offset }
        elements.reserveCapacity(min(limits.events, rest.reduce(0) { $0 + $1.1.count }))
        let most = min(limits.documents, limits.events, rest.reduce(0) { $0 + $1.1.keys.count })
        slots.reserveCapacity(most)
        keys.reserve(most)
        for (number, chunk) in rest {
            // Keys and types repeat within a chunk: each is looked up once.
            var slotOfKey = [Int32](repeating: -1, count: chunk.keys.count)
            let handled = chunk.types.map { fold.handles($0) }
            for place in max(0, Int(offset - chunk.offset))..<chunk.count {
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
        start = offsets.lowerBound
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
        truncate(documents: Int((elements.lazy.map(\.slot).max() ?? -1) + 1))
    }

    /// When the last element was logged; nil where there is none.
    var time: Int64? { elements.last.map { chunks[Int($0.chunk)].chunk.at } }

    /// When the last element happened, as it says itself; nil where it does not say.
    var eventTime: Int64? { elements.last.flatMap { chunks[Int($0.chunk)].chunk.time(of: chunks[Int($0.chunk)].chunk.elements[Int($0.place)]) } }

    /// What folding the batch gives.
    struct Outcome {
        var totals: ProjectionTotals
        var deadLetters: [DeadLetter] = []
        var unknownTypes = UnknownTypes()
        /// The event that the batch ends before, because the model cannot take it.
        var stopped: Standstill?
    }

    /// Folds every element, in order, onto the documents' origins, and encodes what becomes of them. Where one stops the
    /// model, the batch ends before it. `totals` are those before the batch.
    mutating func fold(_ fold: any Folding, build: BuildID, totals: ProjectionTotals) -> Outcome {
        while true {
            for slot in slots.indices { slots[slot].begin() }
            let outcome = foldElements(fold, build, totals)
            var isTooLarge = false
            for slot in slots.indices {
                slots[slot].bson = slots[slot].after?.bson ?? []
                // One that grew beyond the limit unwatched: watched, the event that goes too far is parked.
                if slots[slot].bson.count > Model.maximumDocumentSize.bytes, !slots[slot].checksSize {
                    slots[slot].checksSize = true
                    isTooLarge = true
                }
            }
            if !isTooLarge { return outcome }
        }
    }

    private mutating func foldElements(_ fold: any Folding, _ build: BuildID, _ totals: ProjectionTotals) -> Outcome {
        var outcome = Outcome(totals: totals)
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
