import Fixtures
import Testing
import Values

@Suite struct BSONRoundTripTests {
    @Test(arguments: Seed.ofThisRun) func `random documents come back as they were`(seed: Seed) throws {
        for round in 0..<2000 {
            var random = Random(seed, round: round)
            let document = random.document(.bson)
            let bytes = BSON.encode(document)
            let decoded = try Document(bson: bytes)
            #expect(decoded == document, "round \(round)")
            #expect(BSON.encode(decoded) == bytes, "round \(round)")
        }
    }

    @Test(arguments: Seed.ofThisRun) func `every type that is kept as bytes comes back with them`(seed: Seed) throws {
        var random = Random(seed)
        var types: Set<UInt8> = []
        for shape in Random.opaqueShapes {
            let value = shape(&random)
            types.insert(value.type)
            // A neighbour on either side shows that the length is right.
            let document: Document = ["before": 1, "it": .other(value), "after": ["inside": .array([.other(value), 2])]]
            #expect(try Document(bson: BSON.encode(document)) == document, "type \(value.type)")
        }
        #expect(types.count == Random.opaqueShapes.count)
    }

    /// The first two from bsonspec.org.
    static let specified: [(Document, String)] = [
        (["hello": "world"], "16000000 02 68656c6c6f00 06000000 776f726c6400 00"),
        (
            ["BSON": ["awesome", 5.05, 1986]],
            "31000000 04 42534f4e00 26000000 02 3000 08000000 617765736f6d6500 01 3100 3333333333331440 10 3200 c2070000 00 00"
        ),
        ([:], "05000000 00"),
        (["a": nil, "b": true, "c": .date(-1)], "17000000 0a 6100 08 6200 01 09 6300 ffffffffffffffff 00"),
        (["n": .int64(1 << 40)], "10000000 12 6e00 0000000000010000 00"),
    ]

    @Test(arguments: specified) func `the bytes are those of the specification`(document: Document, hex: String) throws {
        let bytes = hex.split(separator: " ").joined()
        #expect(BSON.encode(document).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == bytes)
        #expect(try Document(bson: BSON.encode(document)) == document)
    }

    @Test func `a document that is BSON already is put in as it is`() throws {
        let inner: Document = ["x": [1, 2]]
        var bytes: [UInt8] = []
        let start = BSON.openDocument(&bytes)
        BSON.append("inner", encoded: BSON.encode(inner), to: &bytes)
        BSON.closeDocument(start, &bytes)
        #expect(try Document(bson: bytes) == ["inner": .document(inner)])
    }

    @Test func `nesting is read as deep as MongoDB stores it, and not without end`() throws {
        func nested(_ levels: Int) -> Document { (1..<levels).reduce([:]) { inner, _ in ["a": .document(inner)] } }
        #expect(try Document(bson: BSON.encode(nested(200))) == nested(200))
        #expect(throws: BSONError.self) { try Document(bson: BSON.encode(nested(300))) }
    }
}
