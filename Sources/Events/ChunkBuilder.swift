import Values

/// Decides, once and for ever, what each element is: type, key, time, and whether it is a duplicate.
public struct ChunkBuilder {
    public var settings: StreamSettings
    public var partition: PartitionID

    public init(settings: StreamSettings, partition: PartitionID) {
        self.settings = settings
        self.partition = partition
    }

    /// Where a chunk goes: the tail it is appended at, and the time of logging.
    public struct Place: Sendable {
        public var offset: Int64
        public var totals: LogTotals
        public var segment: String
        public var index: Int64
        public var at: Int64
        public var age: Int64

        public init(offset: Int64, totals: LogTotals, segment: String, index: Int64, at: Int64, age: Int64) {
            self.offset = offset
            self.totals = totals
            self.segment = segment
            self.index = index
            self.at = at
            self.age = age
        }
    }

    /// Builds the chunk of the elements from `first` on, as many as its limits allow, and enters its originals into the
    /// window: whoever cannot append the chunk rolls the window back.
    ///
    /// - Parameter refusal: refuses them all, unread.
    public func build(
        _ elements: RawElements, _ tape: JSONTape, from first: Int, at place: Place, window: DedupeWindow, refusing refusal: Refusal? = nil
    ) -> Chunk {
        var chunk = Chunk(
            partition: partition, offset: place.offset, segment: place.segment, index: place.index, at: place.at, age: place.age, totals: place.totals
        )
        chunk.shape = settings.shape
        var tables = Tables()
        let last = min(elements.count, first + settings.chunkEvents)
        chunk.elements.reserveCapacity(last - first)
        chunk.digests.reserveCapacity((last - first) * Chunk.digestBytes)
        var size = 0
        for number in first..<last {
            let length = Int(elements.lengths[number])
            if !chunk.elements.isEmpty, size + length > settings.chunkBytes.bytes { break }
            let decision = decide(elements, tape, number, &chunk, &tables, window, refusal)
            append(decision, at: &size, length, to: &chunk)
            if elements.oversize[number] != nil { chunk.oversize.append(place.index + Int64(number - first)) }
        }
        chunk.raw = Self.bytes(of: chunk.elements, from: first, elements, size)
        chunk.types = tables.types.names
        chunk.keys = tables.keys.names
        return chunk
    }

    /// The distinct types, keys and refusals of the chunk so far.
    private struct Tables {
        var types = NameTable()
        var keys = NameTable()
        var refusals: [Refusal: Int64] = [:]
    }

    private struct Decision {
        var element: Chunk.Element
        var id = Digest.none
        var content = Digest.none
    }

    private func decide(
        _ elements: RawElements, _ tape: JSONTape, _ number: Int, _ chunk: inout Chunk, _ tables: inout Tables, _ window: DedupeWindow,
        _ refusal: Refusal?
    ) -> Decision {
        var element = Chunk.Element(kind: .refused)
        do throws(Refusal) {
            if let refusal { throw refusal }
            if let oversize = elements.oversize[number] {
                throw Refusal(
                    .oversize,
                    "the element has \(oversize.length) bytes, above maxEventBytes \(settings.maxEventBytes.bytes); its head is kept here, "
                        + "all of it in \(settings.list(of: partition.number)):oversize (digest \(oversize.digest.hex))"
                )
            }
            let root = try root(tape, number)
            let envelope = try settings.envelope(of: root)
            element.time = envelope.time ?? .min
            element.type = Int32(envelope.type.number(in: &tables.types))
            element.key = Int32(envelope.key.number(in: &tables.keys))
            let right = Partitioning.partition(of: tables.keys.names[Int(element.key)].text.utf8, count: settings.partitions)
            guard right == partition.number else {
                throw Refusal(
                    .wrongPartition,
                    "the key belongs to partition \(right): push it onto \(settings.list(of: right)), not \(settings.list(of: partition.number))"
                )
            }
            let id = envelope.id.digest
            let content = envelope.content ?? root.digest
            switch window.find(id: id, content: content, age: chunk.age) {
            case .new:
                element.kind = .event
                window.insert(id: id, content: content, offset: chunk.end, age: chunk.age)
                return Decision(element: element, id: id, content: content)
            case .duplicate(let original):
                element.kind = .duplicate
                element.reference = original
                return Decision(element: element)
            case .reused(let original):
                throw Refusal(.idReused, "the eventId was logged at offset \(original) with other content: give each event an id of its own")
            }
        } catch {
            element.reference = tables.refusals[error] ?? Int64(chunk.refusals.count)
            if element.reference == Int64(chunk.refusals.count) {
                tables.refusals[error] = element.reference
                chunk.refusals.append(error)
            }
            return Decision(element: element)
        }
    }

    private func root(_ tape: JSONTape, _ number: Int) throws(Refusal) -> JSONNode {
        switch tape.root(number) {
        case .success(let root): return root
        case .failure(let problem): throw Refusal(Problem(problem), problem.explanation)
        }
    }

    /// - Parameter size: of what the chunk keeps of the elements before it, in bytes.
    private func append(_ decision: Decision, at size: inout Int, _ length: Int, to chunk: inout Chunk) {
        var element = decision.element
        element.start = size
        chunk.totals.received += 1
        switch element.kind {
        case .event, .erased: break
        case .duplicate: chunk.totals.duplicates += 1
        case .refused: chunk.totals.undecodable += 1
        }
        if element.kind != .duplicate {
            element.length = length
            size += length
        }
        chunk.elements.append(element)
        chunk.appendDigests(id: decision.id, content: decision.content)
    }

    /// What a chunk keeps of its elements, in so many bytes. Most chunks keep all of a page, whose bytes they share then.
    private static func bytes(of kept: [Chunk.Element], from first: Int, _ elements: RawElements, _ size: Int) -> [UInt8] {
        if size == elements.bytes.count { return elements.bytes }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        for (place, element) in kept.enumerated() where element.length > 0 {
            let start = Int(elements.offsets[first + place])
            bytes.append(contentsOf: elements.bytes[start..<start + element.length])
        }
        return bytes
    }
}
