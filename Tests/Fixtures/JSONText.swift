import Values

/// One JSON text, parsed alone.
public enum JSONText {
    public static func parse(_ text: String) -> Result<Value, JSONProblem> { parse(Array(text.utf8)) }

    public static func parse(_ bytes: [UInt8]) -> Result<Value, JSONProblem> { parse(each: [bytes])[0] }

    /// Texts that lie end to end, as the elements of a chunk do.
    public static func parse(each texts: [[UInt8]]) -> [Result<Value, JSONProblem>] {
        read(texts) { $0.value }
    }

    /// What `body` makes of each text's root; the nodes must not outlive the call.
    public static func read<Answer>(_ texts: [[UInt8]], _ body: (JSONNode) -> Answer) -> [Result<Answer, JSONProblem>] {
        var offsets: [UInt64] = []
        var all: [UInt8] = []
        for text in texts {
            offsets.append(UInt64(all.count))
            all += text
        }
        let tape = JSONTape(parsing: all, offsets: offsets, lengths: texts.map { UInt32($0.count) })
        return withExtendedLifetime(tape) { texts.indices.map { tape.root($0).map(body) } }
    }

    public static func digest(_ text: String) throws -> Digest {
        try read([Array(text.utf8)]) { node in
            var hasher = DigestHasher()
            node.digest(into: &hasher)
            return hasher.finalize()
        }[0].get()
    }
}
