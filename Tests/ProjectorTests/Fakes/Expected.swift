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

    init(_ texts: [String], _ settings: StreamSettings, _ builds: [(build: BuildID, fold: EffectFold)]) {
        var whole = settings
        whole.chunkEvents = texts.count + 1
        whole.chunkBytes = .mebibytes(1000)
        let log = TestLog(settings: whole, bounds: .init(age: .max, originals: 100_000))
        log.append(RawElements(texts, limit: settings.maxEventBytes))
        self.init(log.chunks, builds)
    }

    /// What these chunks make.
    init(_ chunks: [DecodedChunk], _ builds: [(build: BuildID, fold: EffectFold)]) {
        elements = chunks.flatMap { Self.elements(of: $0.chunk) }
        for (build, fold) in builds { replay(chunks, build, fold) }
    }

    private mutating func replay(_ chunks: [DecodedChunk], _ build: BuildID, _ fold: EffectFold) {
        var stored: [ExactString: StoredDocument] = [:]
        var totals = ProjectionTotals()
        for chunk in chunks {
            let partition = chunk.chunk.partition
            for (place, element) in chunk.chunk.elements.enumerated() {
                if element.kind == .duplicate { totals.duplicates += 1 } else { totals.logged += 1 }
                let offset = chunk.chunk.offset + Int64(place)
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
                    continue
                }
                let key = ExactString(event.key)
                var fields = stored[key]?.fields
                do {
                    let position = DocumentPosition(partition: partition.number, offset: offset, time: event.time ?? chunk.chunk.at)
                    let changed = try fold.fold(event, into: &fields)
                    if changed { stored[key] = fields.map { StoredDocument(key: event.key, position: position, fields: $0) } }
                    totals.applied += 1
                } catch { park(build, error) }
            }
        }
        documents[build] = stored.mapValues(\.bson)
        self.totals[build] = totals
    }

    static func elements(of chunk: Chunk) -> [Element] {
        chunk.elements.map { element in
            Element(
                kind: element.kind, type: chunk.type(of: element).map(ExactString.init), key: chunk.key(of: element).map(ExactString.init),
                time: chunk.time(of: element),
                bytes: Array(chunk.raw[element.start..<(element.start + element.length)]), original: element.kind == .duplicate ? element.reference : nil,
                refusal: element.kind == .refused ? chunk.refusals[Int(element.reference)] : nil
            )
        }
    }

    /// Compares all that is stored.
    func check(_ mongo: FakeMongo, _ comment: String) throws {
        let chunks = try mongo.chunks { _ in true }
        let stored = chunks.flatMap(Self.elements(of:))
        #expect(stored == elements, "\(comment)")
        #expect(mongo.damage.isEmpty && mongo.mismatches == 0, "\(comment)")
        #expect(mongo.deadLetters == deadLetters, "\(comment)")
        for (build, documents) in documents {
            #expect(mongo.documents[build] ?? [:] == documents, "\(comment)")
            let checkpoint = try #require(mongo.checkpoints[build])
            #expect(checkpoint.offset == Int64(elements.count), "\(comment)")
            #expect(checkpoint.totals.counted == totals[build]?.counted, "\(comment)")
            #expect(checkpoint.totals.drift == 0, "\(comment)")
        }
    }
}

extension ProjectionTotals {
    /// What does not hang on how the log is cut into batches.
    fileprivate var counted: [Int64] { [logged, duplicates, applied, ignored, parked, held] }
}
