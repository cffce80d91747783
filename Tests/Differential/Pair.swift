import Events
import Fixtures
import Values

/// One document, one event and one effect, with the update that mongod is given for them.
struct Pair {
    var before: Document?
    var data: Document
    /// The effect as a definition writes it, expressions and all.
    var effect: Document
    /// The same with values in place of the expressions: an update, and its array filters.
    var update: Document
    var filters: [Value]
    /// Where it stands in the table.
    var verb: Verb
    var kind: Kind
    var shape: Shape

    /// Milliseconds since 1970 of the event.
    static let time: Int64 = 1_000_000_000_000

    var description: String {
        let before = before.map { JSON.write(.document($0)) } ?? "nothing"
        return "\(before) · event \(JSON.write(.document(data))) · effect \(JSON.write(.document(effect)))"
    }
}

/// What an operator or a condition is given: as a definition writes it, and as mongod gets it.
struct Given {
    var written: Value
    var value: Value

    init(_ written: Value, _ value: Value) {
        self.written = written
        self.value = value
    }

    /// The same for both.
    init(_ value: Value) { self.init(value, value) }

    static func object(_ members: [(String, Given)]) -> Given {
        Given(
            .document(Document(members.map { Document.Field($0.0, $0.1.written) })), .document(Document(members.map { Document.Field($0.0, $0.1.value) })))
    }

    static func array(_ elements: [Given]) -> Given { Given(.array(elements.map(\.written)), .array(elements.map(\.value))) }
}

/// Makes one pair. What its expressions look for is put into the event and the document on the way.
struct PairMaker {
    var random: Random
    var data = Document()
    /// Fields that only expressions read.
    var sources = Document()
    var filters: [(String, Given)] = []
    let existed: Bool
    /// Values somewhere in the document, which operands often resemble.
    var found: [Value] = []

    /// A value as some expression gives it: a literal, or a path into the event or the document, as far as there can be
    /// such a value.
    mutating func given(_ value: Value) -> Given {
        // JSON has no dates and few doubles, and an integer of it is as narrow as can be.
        let isPlain = Self.isJSON(value)
        switch random.below(4) {
        case 0 where isPlain, 1 where isPlain && value.asString == nil: return Given(value)
        case 2 where isPlain:
            let name = "v\(data.fields.count)"
            data.append(name, random.once(in: 3) ? ["in": value] : value)
            return Given(data[name] == value ? .string("$data.\(name)") : .string("$data.\(name).in"), value)
        case 3 where value.kind == .date: return Given("$occurredAt", .date(Pair.time))
        default:
            guard existed else { return isPlain ? Given(value) : Given("$occurredAt", .date(Pair.time)) }
            let name = "s\(sources.fields.count)"
            sources.append(name, value)
            return Given(.string("$$doc.\(name)"), value)
        }
    }

    /// A value of a kind: often one of the document, or the same number in another type, or a document with fewer members.
    mutating func similar(_ kind: Kind) -> Value {
        let known = found.flatMap(\.relatives).filter { $0.kind == kind }
        return known.isEmpty || random.once(in: 3) ? random.value(kind, depth: 1) : random.pick(known)
    }

    static func isJSON(_ value: Value) -> Bool {
        switch value {
        case .null, .bool, .int32, .string: true
        case .int64(let number): Int32(exactly: number) == nil
        case .double(let number): number.isFinite
        case .date, .decimal, .other: false
        case .array(let values): values.allSatisfy(isJSON)
        case .document(let document): document.fields.allSatisfy { isJSON($0.value) }
        }
    }
}

extension Value {
    /// Itself, everything in it, and what a careless comparison takes for the same.
    fileprivate var relatives: [Value] {
        switch self {
        case .int32(let number): [self, .int64(Int64(number)), .double(Double(number))]
        case .int64(let number): [self, .double(Double(number))]
        case .double(let number): [self] + (Int32(exactly: number).map { [.int32($0), .int64(Int64($0))] } ?? [])
        case .array(let values): [self] + values.flatMap(\.relatives)
        case .document(let document):
            [self, .document(Document(Array(document.fields.dropLast()))), .document(Document(document.fields.reversed()))]
                + document.fields.flatMap { $0.value.relatives }
        default: [self]
        }
    }
}
