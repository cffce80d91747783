import EventFixtures
import Events
import Models
import Projector
import Testing
import Values

/// What must be stored in the end: every element decided in the order of the list, and every event folded by itself.
struct Expected: Sendable {
    struct Element: Hashable, Sendable {
        var kind: Chunk.Element.Kind
        var type: ExactString?
        var key: ExactString?
        var time: Int64?
        var bytes: [UInt8]
        var original: Int64?
        var refusal: Refusal?
    }

    private(set) var elements: [Element] = []
    private(set) var documents: [BuildID: [ExactString: [UInt8]]] = [:]
    private(set) var deadLetters: Set<DeadLetter> = []
    private(set) var totals: [BuildID: ProjectionTotals] = [:]
    private(set) var unknownTypes: [BuildID: [ExactString?: UnknownType]] = [:]
    /// When the last element was logged: documents that have expired by then are not looked at.
    private var time: Int64 = 0

    init(_ texts: [String], _ settings: StreamSettings, _ builds: [(build: BuildID, fold: EffectFold)]) {
        var whole = settings
        whole.chunkEvents = texts.count + 1
        whole.chunkBytes = .mebibytes(1000)
        let log = TestLog(settings: whole, bounds: .init(age: .max, originals: settings.dedupeEvents))
        log.append(RawElements(texts, limit: settings.maxEventBytes))
        self.init(log.chunks, builds)
    }

    /// What these chunks make, with repairs in between.
    init(_ chunks: [DecodedChunk], _ builds: [(build: BuildID, fold: EffectFold)], repairs: [Repair] = []) {
        elements = chunks.flatMap { Self.elements(of: $0.chunk) }
        time = chunks.last?.chunk.at ?? 0
        for (build, fold) in builds { replay(chunks, build, fold, repairs.filter { $0.build == build }) }
    }

    /// Somebody wrote a number into a document when the build's checkpoint stood at an offset, as rule 17 says.
    struct Repair: Sendable {
        var build: BuildID
        var offset: Int64
        var key: String
        var number: Int32

        /// A field that later events build upon.
        private var name: String { build == Commerce.product ? "n" : "sum" }

        func apply(to document: inout StoredDocument) { document.fields[name] = .int32(1000 + number) }
    }

    private mutating func replay(_ chunks: [DecodedChunk], _ build: BuildID, _ fold: EffectFold, _ repairs: [Repair]) {
        var stored: [ExactString: StoredDocument] = [:]
        var totals = ProjectionTotals()
        var repairs = repairs[...]
        func repair(at offset: Int64) {
            while let next = repairs.first, next.offset <= offset {
                if var document = stored[ExactString(next.key)] {
                    next.apply(to: &document)
                    stored[ExactString(next.key)] = document
                }
                repairs.removeFirst()
            }
        }
        for chunk in chunks {
            let partition = chunk.chunk.partition
            for (place, element) in chunk.chunk.elements.enumerated() {
                if element.kind == .duplicate { totals.duplicates += 1 } else { totals.logged += 1 }
                let offset = chunk.chunk.offset + Int64(place)
                repair(at: offset)
                func park(_ build: BuildID?, _ refusal: Refusal) {
                    totals.parked += 1
                    deadLetters.insert(
                        DeadLetter(
                            build: build, partition: partition, offset: offset, refusal: refusal, key: chunk.chunk.key(of: element),
                            type: chunk.chunk.type(of: element), at: chunk.chunk.at
                        ))
                }
                if element.kind == .refused { park(nil, chunk.chunk.refusals[Int(element.reference)]) }
                guard let event = chunk.event(at: place) else { continue }
                guard fold.handles(event.type) else {
                    totals.ignored += 1
                    let type = event.type
                    let known = unknownTypes[build]?[type]
                    unknownTypes[build, default: [:]][type] = UnknownType(
                        type: type, count: (known?.count ?? 0) + 1, first: known?.first ?? offset, last: offset)
                    continue
                }
                let key = ExactString(event.key)
                if stored[key]?.isExpired(at: chunk.chunk.at) ?? false { stored[key] = nil }
                var fields = stored[key]?.fields
                do {
                    let position = DocumentPosition(partition: partition.number, offset: offset, time: event.time ?? chunk.chunk.at)
                    let changed = try fold.fold(event, into: &fields)
                    let expires = fold.lifetime.map { chunk.chunk.at + Int64($0 / .milliseconds(1)) }
                    if changed { stored[key] = fields.map { StoredDocument(key: event.key, position: position, expires: expires, fields: $0) } }
                    totals.applied += 1
                } catch { park(build, error) }
            }
        }
        repair(at: .max)
        documents[build] = stored.compactMapValues { $0.unlessExpired(at: time)?.bson }
        self.totals[build] = totals
    }

    static func elements(of chunk: Chunk) -> [Element] {
        chunk.elements.map { element in
            Element(
                kind: element.kind, type: chunk.type(of: element).map { ExactString($0) }, key: chunk.key(of: element).map { ExactString($0) },
                time: chunk.time(of: element),
                bytes: Array(chunk.raw[element.start..<(element.start + element.length)]), original: element.kind == .duplicate ? element.reference : nil,
                refusal: element.kind == .refused ? chunk.refusals[Int(element.reference)] : nil
            )
        }
    }

    /// Compares all that is stored.
    func check(_ mongo: FakeMongo, _ comment: String) throws {
        let differences = try differences(mongo)
        #expect(differences.isEmpty, "\(comment)")
    }

    /// - Parameter isMeddledWith: somebody else put documents of his own where there were none. They count as absent until
    ///   an event of their key comes.
    func differences(_ mongo: FakeMongo, isMeddledWith: Bool = false) throws -> [String] {
        var found = mongo.damage
        let stored = mongo.chunks { _ in true }.flatMap(Self.elements(of:))
        if stored != elements {
            let place = zip(stored, elements).enumerated().first { $1.0 != $1.1 }?.offset ?? min(stored.count, elements.count)
            found.append("the log differs at offset \(place): \(stored.count) elements where \(elements.count) are expected")
        }
        if mongo.deadLetters != deadLetters {
            found.append("the dead letters differ at \(mongo.deadLetters.symmetricDifference(deadLetters).map(\.offset).sorted())")
        }
        if !isMeddledWith, mongo.mismatches > 0 { found.append("\(mongo.mismatches) documents were not what the transaction was planned for") }
        for (build, expected) in documents.sorted(by: { $0.key.description < $1.key.description }) {
            let stored = try (mongo.documents[build] ?? [:]).filter { key, bson in
                guard let document = try StoredDocument(Document(bson: bson)) else { return !isMeddledWith || expected[key] != nil }
                return !document.isExpired(at: time)
            }
            if stored != expected {
                let keys = Set(stored.keys).union(expected.keys).filter { stored[$0] != expected[$0] }
                found.append("\(build): the documents \(keys.map(\.text).sorted()) differ")
            }
            guard let checkpoint = mongo.checkpoints[build] else {
                found.append("\(build) has no checkpoint")
                continue
            }
            if checkpoint.offset != Int64(elements.count) { found.append("\(build): the checkpoint stands at \(checkpoint.offset)") }
            if checkpoint.totals.counted != totals[build]?.counted { found.append("\(build): the totals are \(checkpoint.totals)") }
            if mongo.unknownTypes[build] != unknownTypes[build] { found.append("\(build): the unknown types are \(mongo.unknownTypes[build] ?? [:])") }
            if !isMeddledWith, checkpoint.totals.drift != 0 { found.append("\(build): drift was counted") }
        }
        return found
    }
}

extension ProjectionTotals {
    /// What does not hang on how the log is cut into batches.
    fileprivate var counted: [Int64] { [logged, duplicates, applied, ignored, parked, held] }
}
