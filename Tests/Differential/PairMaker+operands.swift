import Fixtures
import Values

extension PairMaker {
    /// What stands under the path of an operator.
    mutating func operand(_ verb: Verb, _ kind: Kind) -> Given {
        switch verb {
        case .set, .setOnInsert, .min, .max, .inc, .mul: return composed(kind)
        case .unset: return Given("")
        case .rename: return Given("z")
        case .bit:
            let names = ["and", "or", "xor"].shuffled(using: &random).prefix(random.once(in: 3) ? 2 : 1)
            return .object(names.map { name in (name, given(random.value(kind))) })
        case .pop: return given(end(kind))
        case .push: return push(kind)
        case .addToSet: return random.once(in: 2) ? given(similar(kind)) : .object([("$each", each(kind))])
        case .pullAll: return random.once(in: 15) ? given(random.value(kind)) : list(kind)
        case .pull: return condition(kind)
        }
    }

    private mutating func end(_ kind: Kind) -> Value {
        let isFirst = random.once(in: 2)
        return switch kind {
        case .int where random.below(12) > 0: isFirst ? -1 : 1
        case .long: .int64(isFirst ? -1 : 1)
        case .double: .double(isFirst ? -1 : 1)
        default: random.value(kind)
        }
    }

    /// A value, sometimes put together out of expressions.
    private mutating func composed(_ kind: Kind) -> Given {
        switch kind {
        case .array where random.once(in: 2): .array((0..<random.below(3)).map { _ in given(random.value(random.pick([.int, .string]))) })
        case .object where random.once(in: 2): .object([("d", given(random.value(.int))), ("b", given(random.value(.double)))])
        default: given(random.value(kind))
        }
    }

    private mutating func list(_ kind: Kind) -> Given {
        let values = (0..<random.below(4)).map { _ in similar(random.once(in: 3) ? random.pick(Kind.allCases) : kind) }
        return random.once(in: 2) ? .array(values.map { given($0) }) : given(.array(values))
    }

    private mutating func each(_ kind: Kind) -> Given { random.once(in: 25) ? given(random.value(kind)) : list(kind) }

    private mutating func push(_ kind: Kind) -> Given {
        if random.once(in: 3) { return given(random.value(kind)) }
        var members = [("$each", each(kind))]
        if random.once(in: 2) { members.append(("$slice", integer())) }
        if random.once(in: 2) { members.append(("$position", integer())) }
        if random.once(in: 2) { members.append(("$sort", order())) }
        return .object(members.shuffled(using: &random))
    }

    private mutating func integer() -> Given {
        if random.once(in: 20) {
            let name = "v\(data.fields.count)"
            let value = random.pick([1.5, "x", nil, true, 2.0, .int64(1 << 40)] as [Value])
            data.append(name, value)
            return Given(.string("$data.\(name)"), value)
        }
        return given(random.pick([0, 1, 2, 3, -1, -2, -3, 10, -10, .int32(.min), .int64(1 << 40), .int64(.min)]))
    }

    private mutating func order() -> Given {
        let directions: [Value] = [1, -1]
        if random.once(in: 2) { return Given(random.pick(directions)) }
        let names = ["b", "c", "b.c", "b.0", "d"].shuffled(using: &random).prefix(1 + random.below(2))
        return Given(.document(Document(names.map { Document.Field($0, random.pick(directions)) })))
    }
}
