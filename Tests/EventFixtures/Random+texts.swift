import Events
import Fixtures
import Values

extension Random {
    /// Elements as a careless world pushes them: mostly events, among them repeated ones, reused ids and rubbish.
    public mutating func texts(_ count: Int, types: [String] = ["created", "changed", "deleted"], keys: [String] = keys) -> [String] {
        var texts: [String] = []
        for _ in 0..<count {
            switch below(12) {
            case 0 where !texts.isEmpty: texts.append(pick(texts))
            case 1:
                texts.append(pick(["", "{", "[]", "{}", "\u{1}", #"{"eventId":"x"}"#, #"{"eventId":"x","eventType":"t","key":true}"#, "{\"a\":1,\"a\":2}"]))
            case 2: texts.append(EventText("again-\(below(4))", pick(types), key: .string(pick(keys)), data: ["n": .int32(Int32(below(3)))]).json)
            default:
                let time = once(in: 3) ? DateTime.format(milliseconds: Int64(below(1_000_000_000)) * 1000) : nil
                texts.append(
                    EventText(String(next(), radix: 36), pick(types), key: .string(pick(keys)), data: value(.json, depth: 2), occurredAt: time).json
                )
            }
        }
        return texts
    }

    /// Among them two that only look alike.
    public static let keys = ["a", "b", "c", "d", "é", "e\u{301}", "7", "key with blanks"]
}

extension Chunk {
    /// The names of the properties that differ.
    public func differences(from other: Chunk) -> [String] {
        let checks: [(String, Bool)] = [
            ("partition", partition == other.partition), ("offset", offset == other.offset), ("segment", segment == other.segment),
            ("index", index == other.index),
            ("at", at == other.at), ("age", age == other.age), ("shape", shape == other.shape),
            ("totals", totals == other.totals), ("elements", elements == other.elements),
            ("keys", keys == other.keys),
            ("types", types == other.types),
            ("refusals", refusals == other.refusals), ("digests", digests == other.digests), ("raw", raw == other.raw),
            ("oversize", oversize == other.oversize),
        ]
        return checks.filter { !$0.1 }.map(\.0)
    }
}
