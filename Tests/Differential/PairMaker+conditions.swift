import Fixtures
import Values

extension PairMaker {
    /// What `$pull` is given: a value, members, tests of the element or tests of its members.
    mutating func condition(_ kind: Kind) -> Given {
        switch random.below(kind == .object ? 4 : 6) {
        case 0, 1, 2: given(similar(kind))
        case 3 where kind != .object: tests(kind)
        default: members(kind, depth: 1)
        }
    }

    /// The condition of an array filter, of elements that are called `name`.
    mutating func filter(_ name: String, _ kind: Kind) -> Given {
        switch random.below(6) {
        case 0: .object([(name, given(similar(kind)))])
        case 1, 2: .object([(name, tests(kind))])
        case 3: .object([(name + "." + field(), asked(kind, depth: 1))])
        case 4: .object([("$or", .array([.object([(name, asked(kind, depth: 1))]), .object([(name + "." + field(), tests(kind))])]))])
        default: .object([(name, .object([("$exists", Given(true))])), (name + "." + field(), .object([("$not", tests(kind))]))])
        }
    }

    private mutating func field() -> String { random.pick(["b", "b", "b", "c", "b.c", "b.0", "b.0.c", "0", "0.b", "d.b"]) }

    private mutating func members(_ kind: Kind, depth: Int) -> Given {
        switch random.below(6) {
        case 0 where depth > 0: .object([(random.pick(["$and", "$or"]), .array([members(kind, depth: 0), members(kind, depth: 0)]))])
        case 1: .object([("b", asked(kind, depth: depth)), (random.pick(["c", "d", "c.b"]), asked(random.pick(Kind.allCases), depth: 0))])
        default: .object([(field(), asked(kind, depth: depth))])
        }
    }

    private mutating func asked(_ kind: Kind, depth: Int) -> Given { random.once(in: 3) ? given(similar(kind)) : tests(kind, depth: depth) }

    private mutating func tests(_ kind: Kind, depth: Int = 1) -> Given {
        let count = random.once(in: 4) ? 2 : 1
        let names = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists"] + (depth > 0 ? ["$elemMatch"] : [])
        return .object(
            names.shuffled(using: &random).prefix(count).map { name in
                switch name {
                case "$in", "$nin": (name, given(.array((0..<random.below(3)).map { _ in similar(kind) })))
                case "$exists": (name, Given(.bool(random.once(in: 2))))
                case "$elemMatch": (name, random.once(in: 2) ? tests(kind, depth: 0) : members(kind, depth: 0))
                default: (name, given(similar(kind)))
                }
            })
    }
}
