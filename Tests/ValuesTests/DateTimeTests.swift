import Fixtures
import Testing
import Values

@Suite struct DateTimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.001Z", 1), ("1969-12-31T23:59:59.999Z", -1), ("2026-11-20T10:00:00.000Z", 1_795_168_800_000),
            // Leap years, and years that only look like one.
            ("2000-02-29T00:00:00Z", 951_782_400_000), ("2000-03-01T00:00:00Z", 951_868_800_000), ("2024-02-29T12:00:00Z", 1_709_208_000_000),
            ("1900-03-01T00:00:00Z", -2_203_891_200_000), ("0000-01-01T00:00:00Z", -62_167_219_200_000), ("0000-02-29T00:00:00Z", -62_162_121_600_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            // Offsets, among them one that leads out of the year.
            ("2026-01-01T00:30:00+01:00", 1_767_223_800_000), ("2025-12-31T23:30:00-00:00", 1_767_223_800_000),
            ("2025-12-31T18:00:00-05:30", 1_767_223_800_000),
            // Fractions: tenths, and more than a millisecond holds.
            ("1970-01-01T00:00:00.5Z", 500), ("1970-01-01T00:00:00.1239999999999999999999Z", 123), ("1970-01-01T00:00:00.000999Z", 0),
            // A leap second is the second after it; lower case and the blank are the RFC's.
            ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("1970-01-01t00:00:00z", 0), ("1970-01-01 00:00:01Z", 1000),
        ] as [(String, Int64)])
    func `instants`(text: String, expected: Int64) {
        #expect(DateTime.parse(text) == expected)
    }

    @Test(arguments: [
        "", "2026", "2026-11-20", "2026-11-20T10:00:00", "2026-11-20T10:00Z", "2026-11-20T10:00:00.Z", "2026-11-20T10:00:00,5Z", "2026-11-20T10:00:00Z ",
        " 2026-11-20T10:00:00Z", "2026-13-20T10:00:00Z", "2026-00-20T10:00:00Z", "2026-11-31T10:00:00Z", "2026-11-00T10:00:00Z", "2026-02-29T10:00:00Z",
        "1900-02-29T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T10:60:00Z", "2026-11-20T10:00:61Z", "2026-11-20T10:00:00+24:00",
        "2026-11-20T10:00:00+01:60", "2026-11-20T10:00:00+01", "2026-11-20T10:00:00+0100", "2026-11-20T10:00:00ZZ", "26-11-20T10:00:00Z",
        "2026-1-20T10:00:00Z", "+2026-11-20T10:00:00Z", "2026-11-20T-1:00:00Z", "2026/11/20T10:00:00Z", "2026-11-20X10:00:00Z", "1795168800000",
        "2026-11-20T10:00:00.٣Z",
    ])
    func `what is no RFC 3339 date-time`(text: String) {
        #expect(DateTime.parse(text) == nil)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_007, "2000-02-29T00:00:00.007Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            // Four digits hold no other year.
            (-62_167_219_200_001, "-62167219200001"), (253_402_300_800_000, "253402300800000"), (.min, "-9223372036854775808"), (.max, "9223372036854775807"),
        ] as [(Int64, String)])
    func `how an instant is written`(milliseconds: Int64, expected: String) {
        #expect(DateTime.format(milliseconds: milliseconds) == expected)
    }

    @Test(arguments: Seed.ofThisRun) func `every instant of ten thousand years comes back`(seed: Seed) {
        var random = Random(seed)
        for _ in 0..<20_000 {
            let instant = Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &random)
            #expect(DateTime.parse(DateTime.format(milliseconds: instant)) == instant)
        }
    }

    /// Day by day, so that no turn of a month or a year is left to chance.
    @Test func `the days of four centuries follow each other`() {
        var (year, month, day) = (1899, 12, 31)
        for number in 0..<146_097 {
            let lengths = [31, year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            (year, month, day) = day < lengths[month - 1] ? (year, month, day + 1) : (month < 12 ? (year, month + 1, 1) : (year + 1, 1, 1))
            let written = DateTime.format(milliseconds: (Int64(number) - 25_567) * 86_400_000)
            guard written == "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)T00:00:00.000Z" else {
                Issue.record("\(written) is not \(year)-\(month)-\(day)")
                return
            }
        }
    }
}
