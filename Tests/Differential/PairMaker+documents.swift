import Fixtures
import Values

extension PairMaker {
    /// One pair for a cell of the table.
    ///
    /// - Parameter target: the kind of what the operator finds, where its path leads to something.
    static func pair(_ verb: Verb, _ kind: Kind, _ shape: Shape, target: Kind, random: Random) -> Pair {
        var maker = PairMaker(random: random, existed: shape != .absent)
        return maker.pair(verb, kind, shape, target)
    }

    private mutating func pair(_ verb: Verb, _ kind: Kind, _ shape: Shape, _ target: Kind) -> Pair {
        var operators: [(verb: Verb, path: String, operand: Given)] = []
        var fields = scene(shape, target, of: kind)
        found = fields.fields.map(\.value)
        if verb == .rename {
            operators.append(rename(shape, kind, &fields))
        } else {
            operators.append((verb, shape.path, operand(verb, kind)))
        }
        if shape.path.contains("$[e]") { filters.append(("e", filter("e", filterKind(target)))) }
        if shape.path.contains("$[f]") { filters.append(("f", filter("f", filterKind(target)))) }
        // mongod looks for the source of a $rename when it has come to the target, and refuses an element beyond an array's
        // end if another operator happened to fill the array up before: no use is known for that, and it is not copied.
        let near = verb == .rename ? .top : shape
        while operators.count < 4, random.once(in: 3) { operators.append(companion(near)) }
        operators.shuffle(using: &random)

        var effect = Document()
        var update = Document()
        for op in operators {
            // The operators of one name stand together, and a path that is there twice is one.
            var (written, value) = (effect[op.verb.rawValue]?.asDocument ?? Document(), update[op.verb.rawValue]?.asDocument ?? Document())
            written[op.path] = op.operand.written
            value[op.path] = op.operand.value
            effect[op.verb.rawValue] = .document(written)
            update[op.verb.rawValue] = .document(value)
        }
        if !filters.isEmpty { effect.append("arrayFilters", .array(filters.map(\.1.written))) }
        fields.fields.append(contentsOf: sources.fields)
        return Pair(
            before: existed ? Document(fields.fields.shuffled(using: &random)) : nil, data: data, effect: effect, update: update,
            filters: filters.map(\.1.value), verb: verb, kind: kind, shape: shape
        )
    }

    private mutating func filterKind(_ target: Kind) -> Kind { random.once(in: 2) ? target : random.pick(Kind.allCases) }

    /// The fields of a document in which the path of the shape leads to a value of a kind; if that is an array, its
    /// elements are often of another kind, that of the operand.
    private mutating func scene(_ shape: Shape, _ target: Kind, of content: Kind) -> Document {
        var a: Value?
        switch shape {
        case .top: a = random.value(target, of: content)
        case .new, .parents, .absent: break
        case .dotted: a = .document(with("b", random.value(target, of: content)))
        case .child: a = .document(Document(random.object(depth: 1).fields.filter { $0.name != "b" }))
        case .index: a = .array([any(), random.value(target, of: content)] + random.elements(depth: 1))
        // A number is a name like any other to a document.
        case .end, .beyond: a = random.once(in: 8) ? .document(random.object(depth: 1)) : .array([any(), any()])
        case .element: a = .array([.document(with("b", random.value(target, of: content)))] + random.elements(depth: 1))
        case .inner: a = .array([any(), .array([random.value(target, of: content)] + random.elements(depth: 1))])
        case .scalar: a = random.value(random.pick([.null, .bool, .int, .string, .date]))
        case .array: a = .array(random.elements(depth: 2))
        case .every, .filtered: a = .array(some { $0.value(target, of: content) })
        case .member, .matching: a = .array(some { random in .document(Self.with("b", random.value(target, of: content), &random)) })
        case .deep:
            a = .array(some { random in .document(Self.with("b", .array((0..<random.below(4)).map { _ in random.value(target, of: content) }), &random)) })
        case .wrong: a = random.once(in: 4) ? nil : random.value(random.pick(Kind.allCases.filter { $0 != .array }))
        }
        var fields = Document()
        if let a { fields.append("a", a) }
        for name in ["p", "q", "n"] where random.once(in: 2) { fields.append(name, any()) }
        return fields
    }

    private mutating func any() -> Value { random.value(random.pick(Kind.allCases)) }

    /// Up to four, some of them of another kind.
    private mutating func some(_ make: (inout Random) -> Value) -> [Value] {
        (0..<random.below(5)).map { _ in random.once(in: 12) ? any() : make(&random) }
    }

    private mutating func with(_ name: String, _ value: Value) -> Document { Self.with(name, value, &random) }

    private static func with(_ name: String, _ value: Value, _ random: inout Random) -> Document {
        var document = random.object(depth: 1)
        document[name] = value
        document.fields.shuffle(using: &random)
        return document
    }

    /// A `$rename` with the shape's path as its source or its target; the other end lies elsewhere.
    private mutating func rename(_ shape: Shape, _ kind: Kind, _ fields: inout Document) -> (verb: Verb, path: String, operand: Given) {
        let isSource = random.once(in: 2)
        let other = random.pick(["r", "r", "r.s", "n.t", "a.z", "p"])
        guard !isSource else { return (.rename, shape.path, Given(.string(other))) }
        if !other.contains("."), random.below(6) > 0 { fields[other] = random.value(kind) }
        return (.rename, other, Given(.string(shape.path)))
    }

    /// Another operator of the same effect, near the first or far from it.
    private mutating func companion(_ shape: Shape) -> (verb: Verb, path: String, operand: Given) {
        let verb = random.pick(Verb.allCases.filter { $0 != .rename })
        let filter = filters.isEmpty ? "[]" : "[\(filters[0].0)]"
        let near =
            switch shape {
            case .every, .filtered, .wrong: ["p"]
            case .member, .matching: ["a.$[].c", "a.$\(filter).d", "a.$[].b"]
            case .deep: ["a.$[].c", "a.$[].b.$[]"]
            case .index, .end, .beyond, .element, .inner: ["a.3", "a.0.c", "a.6", "a.1.1"]
            default: ["a.c", "a.b.d", "a.d"]
            }
        let path = random.pick(near + ["p", "q", "m", "m.n", "k.1", "k.0"])
        return (verb, path, operand(verb, random.pick(verb.operands)))
    }
}
