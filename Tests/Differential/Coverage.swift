/// How many pairs were compared in each cell: operator, type of the value, shape of the path.
struct Coverage {
    private var counts: [Cell: Int] = [:]

    struct Cell: Hashable, CustomStringConvertible {
        var verb: Verb
        var kind: Kind
        var shape: Shape

        var description: String { "\(verb.rawValue) × \(kind.rawValue) × \(shape.rawValue)" }
    }

    /// Every cell that can be: a `$rename` has no placeholders.
    static let cells: [Cell] = Verb.allCases.flatMap { verb in
        Kind.allCases.flatMap { kind in
            Shape.allCases.filter { verb != .rename || $0.isPlain }.map { Cell(verb: verb, kind: kind, shape: $0) }
        }
    }

    mutating func add(_ pair: Pair) { counts[Cell(verb: pair.verb, kind: pair.kind, shape: pair.shape), default: 0] += 1 }

    var empty: [Cell] { Self.cells.filter { counts[$0] == nil } }

    /// One line for each operator and type.
    var table: String {
        let width = 9
        func padded(_ text: String) -> String { text + String(repeating: " ", count: max(1, width - text.count)) }
        var lines = [String(repeating: " ", count: 22) + Shape.allCases.map { padded($0.rawValue) }.joined()]
        for verb in Verb.allCases {
            for kind in Kind.allCases {
                let cells = Shape.allCases.map { shape in
                    let cell = Cell(verb: verb, kind: kind, shape: shape)
                    return padded(Self.cells.contains(cell) ? "\(counts[cell] ?? 0)" : "–")
                }
                let head = verb.rawValue + String(repeating: " ", count: 14 - verb.rawValue.count) + kind.rawValue
                lines.append(head + String(repeating: " ", count: 22 - head.count) + cells.joined())
            }
        }
        return lines.joined(separator: "\n")
    }
}
