import Fixtures
import Testing
import Values

/// The digest of what a text says, which tells a duplicate from a reused id.
@Suite struct JSONDigestTests {
    @Test(arguments: [
        ["{\"a\":1,\"b\":[true,null]}", " {\n\"a\" : 1 ,\t\"b\" : [ true , null ] } ", "{\"\\u0061\":1,\"b\":[true,null]}"],
        ["\"é/\\n\"", "\"\\u00e9\\/\\u000a\"", "\"\\u00E9\\u002f\\n\""], ["100.0", "1e2", "1.00E+2", "1000e-1"], ["0", "-0"], ["\"😀\"", "\"\\ud83d\\ude00\""],
        ["1e-400", "0.0", "0e5"],
    ])
    func `spellings of one value have one digest`(spellings: [String]) throws {
        let digests = try Set(spellings.map(JSONText.digest))
        #expect(digests.count == 1)
    }

    /// Values that are pairwise different, each next to what it could be confused with.
    @Test func `different values have different digests`() throws {
        let texts = [
            "null", "true", "false", "0", "1", "-1", "0.0", "-0.0", "1.0", "4607182418800017408", "\"\"", "\"1\"", "\"null\"", "[]", "{}", "[[]]", "[{}]",
            "[[],[]]",
            "[[[]]]", "{\"a\":[]}", "{\"a\":{}}", "[null]", "[null,null]", "[1,2]", "[2,1]", "[[1],2]", "[[1,2]]", "[1,[2]]", "[\"ab\"]", "[\"a\",\"b\"]",
            "[\"\",\"ab\"]",
            "{\"a\":\"b\"}", "[\"a\",\"b\",1]", "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "{\"a\":2,\"b\":1}", "{\"a\":1}", "{\"b\":1}", "{\"a\":1.0}",
            "{\"a\":{\"b\":1}}",
            "{\"a\":{},\"b\":1}", "\"é\"", "\"e\u{301}\"", "\"a\\u0000\"", "\"a\"", "\"a\\u0000\\u0000\"", "[\"a\\u0000\",\"\"]", "[\"a\",\"\\u0000\"]",
            "\"aaaaaaaa\"",
            "\"aaaaaaaaa\"", "[\"aaaaaaaa\",\"a\"]",
        ]
        var seen: [Digest: String] = [:]
        for text in texts { #expect(seen.updateValue(text, forKey: try JSONText.digest(text)) == nil, "\(text)") }
    }

    @Test func `where a value lies on the tape makes no difference`() throws {
        let text = Array("{\"a\":[\"x\",{\"b\":\"yy\"}]}".utf8)
        let digests = try JSONText.read([Array("[\"other\",{}]".utf8), text, text]) { node in
            var hasher = DigestHasher()
            node.digest(into: &hasher)
            return hasher.finalize()
        }.map { try $0.get() }
        #expect(digests[1] == digests[2])
        #expect(digests[0] != digests[1])
    }

    @Test(arguments: Seed.ofThisRun) func `two random values share a digest exactly when they are one`(seed: Seed) throws {
        var random = Random(seed)
        var seen: [Digest: Value] = [:]
        for _ in 0..<3000 {
            let value = random.value(.json, depth: 2)
            let digest = try JSONText.digest(JSON.write(value))
            #expect(try JSONText.digest(JSON.pretty(value)) == digest)
            if let other = seen.updateValue(value, forKey: digest) { #expect(other == value) }
        }
        let distinct = seen.values.reduce(into: [Value]()) { list, value in if !list.contains(value) { list.append(value) } }
        #expect(distinct.count == seen.count)
    }
}
