import Fixtures
import Testing
import Values

/// A document as its readers get it.
@Suite struct DocumentTextTests {
    private static func text(_ document: Document, _ mask: FieldMask = .all) throws -> String {
        var text: [UInt8] = []
        try BSON.encode(document).withUnsafeBytes { try DocumentText.append($0, mask, to: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    @Test(
        arguments: [
            (.int64(1 << 53), "9007199254740992"), (.int64(1 << 53 + 1), "\"9007199254740993\""), (.int64(-(1 << 53)), "-9007199254740992"),
            (.int64(.min), "\"-9223372036854775808\""), (.int64(5), "5"), (.int32(5), "5"), (1.5, "1.5"), (.double(.nan), "\"NaN\""),
            (.decimal(Decimal128(Int64(12))), "\"12\""), (.date(0), "\"1970-01-01T00:00:00.000Z\""), (nil, "null"), (true, "true"),
            ("plain", "\"plain\""), ("\"\\\n\u{0}\u{7f}é", "\"\\\"\\\\\\n\\u0000\\u007fé\""), ("", "\"\""), ([], "[]"), ([:], "{}"),
            ([1, ["b": .int64(.max)]], "[1,{\"b\":\"9223372036854775807\"}]"),
            (.other(OpaqueValue(type: BSONType.minKey, bytes: [])), "{\"$bson\":\"minKey\",\"base64\":\"\"}"),
        ] as [(Value, String)])
    func `values`(value: Value, expected: String) throws {
        #expect(try Self.text(["a": value]) == "{\"a\":\(expected)}")
        #expect(try DocumentText.write(["a": value]) == "{\"a\":\(expected)}")
    }

    @Test(arguments: Seed.ofThisRun) func `beyond large integers it is what JSON writes`(seed: Seed) throws {
        var random = Random(seed)
        for _ in 0..<500 {
            let document = random.document(.bson)
            let hasLargeIntegers = JSON.write(.document(document)).contains(/[0-9]{16}/)
            if !hasLargeIntegers {
                #expect(try Self.text(document) == JSON.write(.document(document)))
                #expect(try DocumentText.write(document, isPretty: true) == JSON.pretty(.document(document)))
            }
        }
    }

    @Test func `a string that is no UTF-8 still makes JSON`() throws {
        var bson = BSON.encode(["a": "xyz"])
        bson[bson.count - 4] = 0xFF
        var text: [UInt8] = []
        try bson.withUnsafeBytes { try DocumentText.append($0, to: &text) }
        #expect(String(validating: text, as: UTF8.self) == "{\"a\":\"x\u{FFFD}z\"}")
    }

    @Test func `bytes that are cut off are refused, and what was written stays`() {
        let bson = BSON.encode(["a": ["b": [1, 2, "three"]], "c": 4])
        for length in 0..<bson.count {
            var text = Array("before".utf8)
            #expect(throws: BSONError.self) { try bson[..<length].withUnsafeBytes { try DocumentText.append($0, to: &text) } }
            #expect(text.starts(with: "before".utf8))
        }
    }

    // MARK: Masks

    private static let document: Document = [
        "_id": "a", "price": ["amount": 5, "cost": 3], "lines": [["sku": "x", "cost": 1], 7, [["cost": 2, "sku": "y"]]], "empty": [],
    ]

    @Test(
        arguments: [
            (.without([["price", "cost"]]), #"{"_id":"a","price":{"amount":5},"lines":[{"sku":"x","cost":1},7,[{"cost":2,"sku":"y"}]],"empty":[]}"#),
            (.without([["lines", "cost"], ["price"]]), #"{"_id":"a","lines":[{"sku":"x"},7,[{"sku":"y"}]],"empty":[]}"#),
            (.without([["lines", "0", "sku"]]), #"{"_id":"a","price":{"amount":5,"cost":3},"lines":[{"cost":1},7,[{"cost":2}]],"empty":[]}"#),
            (.only([["price", "amount"], ["empty"]]), #"{"price":{"amount":5},"empty":[]}"#),
            (.only([["lines", "sku"]]), #"{"lines":[{"sku":"x"},[{"sku":"y"}]]}"#),
            (.only([["price"], ["price", "amount"]]), #"{"price":{"amount":5,"cost":3}}"#),
            (.only([["_id", "x"], ["price", "none"]]), #"{"price":{}}"#),
            (.none, "{}"),
        ] as [(FieldMask, String)])
    func `a mask goes through arrays`(mask: FieldMask, expected: String) throws {
        #expect(try Self.text(Self.document, mask) == expected)
    }

    @Test func `what is private stays so whatever is asked for`() throws {
        let mask = FieldMask.without([["price", "cost"], ["_position"]])
        let positional = FieldMask.without([["lines", "0", "cost"]]).intersection(.only([["lines", "cost"]]))
        #expect(try Self.text(Self.document, positional) == #"{"lines":[[]]}"#)
        for asked in [[["price"]], [["price", "cost"]], [["price", "amount"], ["price", "cost"]], [["_position"], ["price"]]] as [[[String]]] {
            let text = try Self.text(Self.document, mask.intersection(.only(asked)))
            #expect(!text.contains("cost"), "\(asked)")
        }
        #expect(mask.intersection(.only([["price"]])).names == ["price"])
        #expect(mask.names == nil)
        #expect(FieldMask.only([["a", "b"], ["c"]]).names == ["a", "c"])
    }

    @Test func `masks that show other things have other tags`() {
        let masks: [FieldMask] = [
            .all, .none, .only([["a"]]), .without([["a"]]), .only([["a", "b"]]), .without([["a", "b"]]), .only([["ab"]]), .only([["a"], ["b"]]), .only([]),
        ]
        #expect(Set(masks.map(\.tag)).count == masks.count)
    }

    // MARK: Undecoded documents

    @Test func `only what is asked for is decoded`() throws {
        let document: Document = ["a": 1, "cursor": ["firstBatch": [["_id": "x"], ["_id": "y", "n": 2]], "id": .int64(0)], "s": "text", "b": true]
        let raw = RawDocument(BSON.encode(document))
        #expect(try raw.value("s") == "text")
        #expect(try raw.value("b") == true)
        #expect(try raw.value("none") == nil)
        let found = try #require(try raw.document("cursor")?.documents("firstBatch"))
        #expect(try found.map { try Document(raw: $0) } == [["_id": "x"], ["_id": "y", "n": 2]])
        #expect(try found[1].value("n") == 2)
        #expect(try raw.document("a") == nil)
        #expect(try raw.documents("s") == nil)
        #expect(found[0].size == BSON.encode(["_id": "x"]).count)
    }

    @Test(arguments: Seed.ofThisRun) func `every type of value can be passed over`(seed: Seed) throws {
        var random = Random(seed)
        for _ in 0..<500 {
            var document = random.document(.bson)
            document["last"] = 7
            #expect(try RawDocument(BSON.encode(document)).value("last") == 7)
        }
    }
}
