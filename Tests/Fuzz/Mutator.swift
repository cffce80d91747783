import Fixtures

/// Changes inputs a little, with what their readers look for.
struct Mutator {
    let corpus: [[UInt8]]
    let words: [[UInt8]]

    init(_ target: FuzzTarget, corpus: [[UInt8]]) {
        self.corpus = corpus
        words = Self.words(target).map { Array($0.utf8) } + [[0], [0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0x80], [0xC3], [0xED, 0xA0, 0x80]]
    }

    private static func words(_ target: FuzzTarget) -> [String] {
        switch target {
        case .events:
            [
                "\"eventId\":", "\"eventType\":", "\"key\":", "\"occurredAt\":", "{", "}", "[", "]", ",", ":", "\"", "\\u0000", "\\ud800", "\\u", "\n", "1e999",
                "9223372036854775808", "-", ".5", "null", "true", " ", "\u{feff}", "\t",
            ]
        case .bson, .chunk: ["_id\0", "_position\0", "\u{1}", "\u{2}", "\u{3}", "\u{4}", "\u{5}", "\u{10}", "\u{12}", "e", "c", "z", "d"]
        case .yaml:
            [
                "{", "}", "[", "]", ": ", "- ", "&a ", "*a", "!!int ", "!!str ", "|\n", ">\n", "'", "\"", "\n", "\n  ", "\t", "#", "%YAML 1.2\n", "---\n",
                "...\n", "?",
                "<<: *a", "~", "$set: ", "$inc: ", "$push: ", "$each: ", "$pull: ", "$slice: ", "$data.a", "$$doc.a", "$literal: ", "version: 1\n", "fold: ",
                "\u{85}",
                "\u{2028}", "\u{FEFF}", "\u{E000}", "0x1F", "-9223372036854775809", ".nan", "é", "e\u{301}", ".", "$", "",
            ]
        }
    }

    func input(_ random: inout Random) -> [UInt8] {
        var bytes = random.pick(corpus)
        for _ in 0...random.below(6) { change(&bytes, &random) }
        return Array(bytes.prefix(20_000))
    }

    private func change(_ bytes: inout [UInt8], _ random: inout Random) {
        let place = random.below(bytes.count + 1)
        let end = min(bytes.count, place + random.below(20))
        switch random.below(7) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1 where place < bytes.count: bytes[place] = random.pick([0, 1, 4, 0x7F, 0x80, 0xFF, UInt8(random.below(256))])
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count + 1))
        case 4:
            let other = random.pick(corpus)
            let start = random.below(other.count + 1)
            bytes.replaceSubrange(place..<end, with: other[start..<min(other.count, start + random.below(60))])
        default: bytes.insert(contentsOf: random.pick(words), at: place)
        }
    }
}
