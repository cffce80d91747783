import Fixtures
import Testing
import Values

@Suite struct JSONWriterTests {
    @Test(
        arguments: [
            (nil, "null"), (true, "true"), (false, "false"), (.int32(-1), "-1"), (.int64(.min), "-9223372036854775808"), (1.0, "1.0"), (.double(-0.0), "-0.0"),
            (1e100, "1e+100"),
            (.double(.nan), "\"NaN\""), (.double(.infinity), "\"Infinity\""), (.double(-.infinity), "\"-Infinity\""),
            (.date(0), "\"1970-01-01T00:00:00.000Z\""),
            ("\"\\/\n\r\t\u{0}\u{8}\u{1f}\u{7f}é😀\u{2028}", "\"\\\"\\\\/\\n\\r\\t\\u0000\\u0008\\u001f\\u007fé😀\u{2028}\""),
            ([], "[]"), ([:], "{}"), ([1, [nil], [:]], "[1,[null],{}]"), (["b": 1, "a\"": ["c": "x"]], "{\"b\":1,\"a\\\"\":{\"c\":\"x\"}}"),
            (.other(OpaqueValue(type: BSONType.objectId, bytes: [UInt8](repeating: 0, count: 12))), "{\"$bson\":\"objectId\",\"base64\":\"AAAAAAAAAAAAAAAA\"}"),
        ] as [(Value, String)])
    func `one line`(value: Value, expected: String) {
        #expect(JSON.write(value) == expected)
    }

    @Test func `two spaces a level`() {
        let value: Value = ["a": 1, "b": [1, ["c": nil]], "d": [], "e": [:], "f": .binary([255])]
        #expect(
            JSON.pretty(value) == """
                {
                  "a": 1,
                  "b": [
                    1,
                    {
                      "c": null
                    }
                  ],
                  "d": [],
                  "e": {},
                  "f": {
                    "$bson": "binData",
                    "base64": "AQAAAAD/"
                  }
                }
                """)
    }

    @Test(arguments: Seed.ofThisRun) func `what is written reads back as it was`(seed: Seed) {
        for round in 0..<3000 {
            var random = Random(seed, round: round)
            let value = random.value(.json, depth: 4)
            #expect(JSONText.parse(JSON.write(value)) == .success(value), "round \(round)")
            #expect(JSONText.parse(JSON.pretty(value)) == .success(value), "round \(round)")
        }
    }

    @Test func `every opaque type has a name of its own`() {
        var random = Random(Seed.ofThisRun[0])
        let names = Set(Random.opaqueShapes.map { Value.other($0(&random)).typeName })
        #expect(names.count == Random.opaqueShapes.count)
        #expect(!names.contains { $0.hasPrefix("BSON") })
    }
}
