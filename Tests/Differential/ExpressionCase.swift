import Fixtures
import Models
import Values

/// One expression over the fields of one document.
struct ExpressionCase {
    /// As mongod gets it, with paths such as `$f0`.
    var expression: Value
    var document: Document

    /// As a definition writes it.
    var written: String { (0...9).reduce(JSON.write(expression)) { $0.replacing("\"$f\($1)", with: "\"$$doc.f\($1)") } }

    var description: String { "\(JSON.write(expression)) on \(JSON.write(.document(document)))" }
}

/// Makes random cases of one operator: its arguments are fields of a document, most of them of the kind it is made for.
struct ExpressionMaker {
    let op: ExpressionOperator
    var random: Random
    private var document = Document()

    init(_ op: ExpressionOperator, _ random: Random) {
        self.op = op
        self.random = random
    }

    static func make(_ op: ExpressionOperator, _ random: Random) -> ExpressionCase {
        var maker = ExpressionMaker(op, random)
        let arguments = maker.arguments()
        return ExpressionCase(expression: .document(Document([Document.Field(op.name, arguments)])), document: maker.document)
    }

    private mutating func arguments() -> Value {
        switch op.form {
        case .list(let least, let repeats):
            let most = repeats ? least + 3 : op.parameters.count
            let count = random.below(most - least + 1) + least
            let arguments = (0..<count).map { argument(op.parameters[min($0, op.parameters.count - 1)]) }
            return count == 1 && random.once(in: 2) ? arguments[0] : .array(arguments)
        case .listOrNamed where random.once(in: 2): return .array(op.parameters.map { argument($0) })
        case .named, .listOrNamed:
            var members = Document()
            for parameter in op.parameters where !parameter.isOptional || random.once(in: 2) { members.append(parameter.name, argument(parameter)) }
            if let name = members["as"]?.asString {
                for place in members.fields.indices { members.fields[place].value = members.fields[place].value.renaming("$$this", to: "$$" + name) }
            }
            return .document(members)
        case .branches:
            let branches = (0...random.below(2)).map { _ -> Value in ["case": field(.condition), "then": field(.any)] }
            return random.once(in: 3) ? ["branches": .array(branches)] : ["branches": .array(branches), "default": field(.any)]
        case .variables:
            return ["vars": ["x": field(.any), "y": field(.number)], "in": random.pick(["$$x", ["$add": ["$$y", 1]], ["a": "$$x.b", "b": "$$y"]])]
        }
    }

    private mutating func argument(_ parameter: ExpressionOperator.Parameter) -> Value {
        switch (parameter.kind, parameter.scope) {
        case (.constantName, _): return random.pick(["a", "b", "a.b", ["$literal": "$x"], ""])
        case (.constantFlag, _): return .bool(random.once(in: 2))
        case (.constantOrder, _): return random.pick([1, -1, ["b": 1], ["b": -1, "c.d": 1]])
        case (.variable, _): return random.pick(["x", "item"])
        case (.arrays, _): return .array((0...random.below(3)).map { _ in field(.array) })
        case (.values, _): return .array((0...random.below(3)).map { _ in field(.any) })
        case (_, .element): return random.pick(["$$this", ["$gt": ["$$this", 1]], "$$this.b", ["$isArray": "$$this"]])
        case (_, .reduction):
            return random.pick([["$add": ["$$value", "$$this"]], ["$concatArrays": [["$$value"], ["$$this"]]], ["$ifNull": ["$$this", "$$value"]]])
        default: return field(parameter.kind)
        }
    }

    /// A field of the document with a value, or one that is missing.
    private mutating func field(_ kind: ExpressionOperator.Kind) -> Value {
        let name = "f\(document.fields.count)"
        switch random.below(20) {
        case 0: document.append(name, .null)
        case 1: return .string("$f\(document.fields.count)none")
        // mongod would make a range of two thousand million numbers.
        case 2 where op.name != "$range": document.append(name, any())
        default: document.append(name, value(kind))
        }
        return .string("$" + name)
    }

    private mutating func value(_ kind: ExpressionOperator.Kind) -> Value {
        switch kind {
        case .number: return random.once(in: 6) ? .null : number()
        case .integer: return random.pick([0, 1, 2, 3, 5, -1, -2, -7, 1.0, -3.0, .int64(2), .int64(4), 2.5, 20])
        case .string, .unit, .timezone, .constantName, .variable: return .string(text())
        case .text: return random.once(in: 3) ? number() : (random.once(in: 6) ? random.value(.date) : .string(text()))
        case .date: return .date(time())
        case .dateOrNumber: return random.once(in: 4) ? .date(time()) : number()
        case .array: return .array(elements())
        case .pairs:
            let isList = random.once(in: 2)
            return .array(
                (0..<random.below(4)).map { _ in
                    let (name, value): (Value, Value) = (.string(random.pick(["a", "b", "c", "a.b", "$x", ""])), any())
                    return isList ? [name, value] : ["k": name, "v": value]
                })
        case .object: return .document(object())
        case .condition: return random.pick([true, false, 0, 1, .null, "", .double(.nan), -0.0, .int64(0), []])
        case .type: return random.pick(["int", "long", "double", "string", "bool", "date", 1, 2, 8, 9, 16, 18, .int64(16), 2.0, "nothing"])
        case .any, .arrays, .values, .constantFlag, .constantOrder: return any()
        }
    }

    private mutating func any() -> Value {
        switch random.below(6) {
        case 0: .string(text())
        case 1: number()
        case 2: .array(elements())
        default: random.value(random.pick(Kind.allCases))
        }
    }

    private mutating func number() -> Value {
        switch random.below(10) {
        case 0: return random.value(.int)
        case 1: return random.value(.long)
        case 2: return random.value(.double)
        case 3: return random.integer()
        case 4: return .double(random.double())
        case 5: return .double(Double(random.below(20_001) - 10_000) / 8)
        case 6: return .double(Double(random.below(2001) - 1000) / 1000)
        case 7: return .int64(Int64(random.below(2001) - 1000))
        case 8: return .int32(Int32(random.below(20) - 5))
        default: return .double(Double(random.below(20) - 10))
        }
    }

    private mutating func time() -> Int64 { random.once(in: 4) ? 1_000_000_000_000 : Int64(random.below(4_000_000)) * 1_000_003 - 1_000_000_000_000 }

    private mutating func text() -> String {
        if random.once(in: 4) {
            return random.pick(["12", "-5", "3.5", "1e3", "abc", "a,b,c", "true", "9999999999", "99999999999999999999", "+7", "0x10", " 1", ".5"])
        }
        return (0..<random.below(6)).map { _ in random.pick(["a", "b", "A", "é", "€", "😀", " ", "\t", "x", "\u{A0}", "\u{2003}", "e\u{301}"]) }.joined()
    }

    private mutating func elements() -> [Value] {
        switch random.below(3) {
        case 0: return (0..<random.below(5)).map { _ in number() }
        case 1: return (0..<random.below(5)).map { _ in random.pick([1, 2, .int64(1), 1.0, "a", "b", .null, true]) }
        default: return random.elements(depth: 1)
        }
    }

    private mutating func object() -> Document {
        var document = random.object(depth: 1)
        if random.once(in: 2) { document = Document([Document.Field("a", number()), Document.Field("a.b", 1), Document.Field("$x", "y")] + document.fields) }
        return document
    }
}

extension Value {
    fileprivate func renaming(_ old: String, to new: String) -> Value {
        switch self {
        case .string(let text): .string(text.replacing(old, with: new))
        case .array(let elements): .array(elements.map { $0.renaming(old, to: new) })
        case .document(let document): .document(Document(document.fields.map { Document.Field($0.name, $0.value.renaming(old, to: new)) }))
        default: self
        }
    }
}
