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
        case .listOrNamed(let count) where random.once(in: 2):
            let arguments = op.parameters.prefix(count).map { argument($0) }
            return count == 1 && random.once(in: 2) ? arguments[0] : .array(arguments)
        case .named, .listOrNamed:
            var members = Document()
            for parameter in parameters() { members.append(parameter.name, argument(parameter)) }
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

    /// All that are needed and some that may be left out; the parts of a date mostly by one calendar.
    private mutating func parameters() -> [ExpressionOperator.Parameter] {
        var parameters = op.parameters.filter { !$0.isOptional || random.once(in: 2) }
        guard op.name == "$dateFromParts", !random.once(in: 20) else { return parameters }
        let (year, others) = random.once(in: 3) ? ("isoWeekYear", ["year", "month", "day"]) : ("year", ["isoWeekYear", "isoWeek", "isoDayOfWeek"])
        parameters.removeAll { others.contains($0.name) || $0.name == year }
        return op.parameters.filter { $0.name == year } + parameters
    }

    private mutating func argument(_ parameter: ExpressionOperator.Parameter) -> Value {
        if ["year", "isoWeekYear"].contains(parameter.name), random.once(in: 2) {
            let name = "f\(document.fields.count)"
            document.append(name, .int32(Int32(random.below(250) + 1900)))
            return .string("$" + name)
        }
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
        case (.any, _) where random.once(in: 40): return "$$REMOVE"
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
        case 2 where op.name == "$log": document.append(name, .string(text()))
        case 2 where op.name != "$range": document.append(name, any())
        default: document.append(name, value(kind))
        }
        return .string("$" + name)
    }

    private mutating func value(_ kind: ExpressionOperator.Kind) -> Value {
        switch kind {
        case .number: return random.once(in: 6) ? .null : number()
        case .integer: return random.pick([0, 1, 2, 3, 5, -1, -2, -7, 1.0, -3.0, .int64(2), .int64(4), 2.5, 20])
        case .string, .constantName, .variable: return .string(text())
        case .identifier: return .string(String((0..<24).map { _ in random.pick(Array("0123456789abcdefABCDEF")) }) + (random.once(in: 8) ? "0" : ""))
        case .pattern:
            let pattern = random.pick(Self.patterns)
            return random.once(in: 6)
                ? .other(OpaqueValue(type: BSONType.regex, bytes: Array("\(pattern)\0\(random.pick(["", "i", "im"]))\0".utf8))) : .string(pattern)
        case .patternOptions: return .string(random.pick(["", "i", "m", "s", "x", "imsx", "ii", "q", "u"]))
        case .unit: return .string(random.pick(["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "eon"]))
        case .weekday: return .string(random.pick(["monday", "Sun", "WED", "sat", "friday", "mo"]))
        case .timezone: return .string(random.pick(Self.zones))
        case .format: return .string(random.pick(Self.formats))
        case .dateText: return .string(dateText())
        case .text: return random.once(in: 3) ? number() : (random.once(in: 6) ? random.value(.date) : .string(text()))
        case .date:
            if random.once(in: 12) { return .other(OpaqueValue(type: BSONType.objectId, bytes: [0x50] + random.bytes(11))) }
            return .date(time())
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
        case .type:
            return random.pick([
                "int", "long", "double", "decimal", "string", "bool", "date", "objectId", 1, 2, 7, 8, 9, 16, 18, 19, .int64(16), 2.0, "nothing",
            ])
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
        switch random.below(12) {
        // Not of $log, for which mongod 6.0 divides by the base and not by its logarithm.
        case 10 where op.name != "$log": return random.value(.decimal)
        case 11 where op.name != "$log": return .decimal(Decimal128("\(random.below(2001) - 1000)E\(random.below(9) - 6)") ?? .zero)
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

    /// Often near a change of the clocks. Whole seconds before 1970: mongod 6.0 takes one second off the sums of others.
    private mutating func time() -> Int64 {
        if random.once(in: 4) {
            // Berlin, New York and Lord Howe in 2020, and days before and after.
            let change = random.pick([1_585_443_600, 1_603_587_600, 1_583_650_800, 1_604_210_400, 1_586_012_400, 1_601_739_000])
            return Int64(change + random.pick([0, 0, -1, 1, -7]) * 86_400 + (random.below(13) - 6) * 1800) * 1000
        }
        let time = Int64(random.below(4_000_000)) * 1_000_003 - 1_000_000_000_000
        return random.once(in: 4) ? 1_000_000_000_000 : (time < 0 ? time / 1000 * 1000 : time)
    }

    /// Zones whose rules have not changed lately, east and west, with changes of the clocks by an hour, by half of one, and with none.
    private static let zones = [
        "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham", "America/St_Johns", "Etc/GMT+5", "+03", "-0730",
        "+05:45",
        "Europe/Atlantis", "CEST", "europe/berlin", "UTC+1", "",
    ]

    private static let patterns = [
        "a", "[ab]+", "(a)(b)?", "^a", "b$", "é", "É", "\\w+", ".", "x*", "", "(?<n>a)|(b)", "\\d+", "a|b|x", "(?=a)", "(", "[", "*", "a{2}", "\\s", "(a|é)+",
        "\\p{L}", "(?i)A",
        "(x|(a))*", "\\bа", "a # b", "^", "$", "(?<!a)b", "(.)\\1",
    ]

    private static let formats = [
        "%Y-%m-%d", "%d.%m.%Y %H:%M:%S.%L", "%G-W%V-%u", "%Y-%m-%dT%H:%M:%S%z", "%Y%m%d %Z", "100%% %Y-%m-%d", "%H:%M", "é%Y-%m-%d", "%Y-%j", "%U %w", "%Q",
        "%", "",
    ]

    /// Texts of the default form or of one of the formats, right and wrong.
    private mutating func dateText() -> String {
        func pad(_ number: Int, _ width: Int) -> String { String(repeating: "0", count: max(0, width - "\(number)".count)) + "\(number)" }
        let (year, month, day) = (pad(random.below(200) + 1900, 4), pad(random.below(13), 2), pad(random.below(32), 2))
        let (hour, minute, second) = (pad(random.below(25), 2), pad(random.below(60), 2), pad(random.below(61), 2))
        // What is finer than a millisecond mongod rounds to a later one before 1970.
        let fraction = random.pick(["", ".5", ".125", year < "1970" ? ".25" : ".123456", "."])
        let zone = random.pick(["", "Z", "z", "+01:00", "-0330", "+05", " GMT", " +0100", "UTC", "+25:00", "x!"])
        let clock = random.pick([
            "", "T\(hour):\(minute):\(second)\(fraction)\(zone)", " \(hour):\(minute)\(zone)", "T\(hour):\(minute):\(second)\(zone)", zone,
        ])
        switch random.below(10) {
        case 0: return "\(day).\(month).\(year) \(hour):\(minute):\(second).\(random.below(1000))"
        case 1: return "\(year)-W\(pad(random.below(54), 2))-\(random.below(8))"
        case 2: return "\(year)\(month)\(day)" + random.pick(["", " +0090", " -0330", "T\(hour):\(minute)"])
        case 3:
            return random.pick(["", "x", "today is a good day", "\(year)", "\(hour):\(minute)", "100% \(year)-\(month)-\(day)", "é\(year)-\(month)-\(day)"])
        case 4:
            return random.pick(["\(year)/\(month)/\(day)", "\(year)-\(month)", "\(year)-\(random.below(13))-\(random.below(32))", " \(year)-\(month)-\(day) "])
        default: return "\(year)-\(month)-\(day)\(clock)"
        }
    }

    private mutating func text() -> String {
        if random.once(in: 4) {
            return random.pick([
                "12", "-5", "3.5", "1e3", "abc", "a,b,c", "true", "9999999999", "99999999999999999999", "+7", "0x10", " 1", ".5", "1.", "inf", "-NaN", "1e400",
                "1e-7000", "507f1f77bcf86cd799439011", "507F1f77bcf86cd79943901g",
            ])
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
