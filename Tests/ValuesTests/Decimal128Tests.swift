import Fixtures
import Testing
import Values

@Suite struct Decimal128Tests {
    static func decimal(_ text: String) throws -> Decimal128 { try #require(Decimal128(text), "\(text)") }

    @Test(
        arguments: [
            ("0", "0"), ("-0", "-0"), ("1", "1"), ("1.0", "1.0"), ("1.", "1"), (".5", "0.5"), ("+2e0", "2"), ("0.000001", "0.000001"), ("0.0000001", "1E-7"),
            ("1E+3", "1E+3"), ("12e5", "1.2E+6"), ("0e3", "0E+3"), ("-120e1", "-1.20E+3"), ("123.4500", "123.4500"), ("inf", "Infinity"),
            ("-Infinity", "-Infinity"), ("NaN", "NaN"), ("1e-6176", "1E-6176"),
            ("12345678901234567890123456789012345", "1.234567890123456789012345678901234E+34"),
        ])
    func `text in and out`(text: String, written: String) throws {
        #expect(try Self.decimal(text).description == written)
        #expect(try Self.decimal(written).description == written)
        #expect(JSON.write(.decimal(try Self.decimal(text))) == "\"\(written)\"")
    }

    @Test(arguments: ["", "-", ".", "e1", "1e", "1 ", " 1", "1,5", "0x1", "1_0", "nanx", "1e7000", "1e-7000", "--1", "١"])
    func `text that is no number, or none that is kept`(text: String) {
        #expect(Decimal128(text) == nil)
    }

    @Test func `sums and products keep the digits that money has`() throws {
        #expect(try Self.decimal("0.1") + Self.decimal("0.2") == Self.decimal("0.3"))
        #expect(try Self.decimal("19.90") * Self.decimal("3") == Self.decimal("59.70"))
        #expect(try Self.decimal("1") / Self.decimal("8") == Self.decimal("0.125"))
        #expect(try Self.decimal("2.675").rounded(toPlaces: 2, .halfToEven) == Self.decimal("2.68"))
        #expect(try Value.sum(.decimal(Self.decimal("1.10")), 1) == .decimal(Self.decimal("2.10")))
        #expect(try Value.product(0.5, .decimal(Self.decimal("3"))) == .decimal(Self.decimal("1.500000000000000")))
    }

    @Test func `a number in JSON has every digit that is written`() {
        let texts: [(String, String?)] = [
            ("12.3400", "12.3400"), ("7", "7"), ("-9223372036854775808", "-9223372036854775808"), ("1e2", "1E+2"), ("0.10000000000000000000000001", nil),
            ("[[],{},{\"a,b\":[\"]\",0.5]},-0.10]", nil), ("\"1.5\"", nil),
        ]
        let read = JSONText.read(texts.map { Array($0.0.utf8) }) { node in (node.decimal?.description, node.element(3)?.decimal?.description) }
        for ((text, written), result) in zip(texts, read) {
            guard case .success(let (whole, element)) = result else {
                Issue.record("\(text)")
                continue
            }
            switch text.first {
            case "["?: #expect(element == "-0.10")
            case "\""?: #expect(whole == nil)
            default: #expect(whole == written ?? text)
            }
        }
    }
}
