import Events
import Testing

@testable import Definitions

@Suite struct UnitsTests {
    @Test(
        arguments: [
            ("20ms", .milliseconds(20)), ("1s", .seconds(1)), ("1m", .seconds(60)), ("1h", .seconds(3600)), ("2d", .seconds(172_800)), ("0s", .zero),
            ("10", nil), ("", nil), ("s", nil), ("1.5s", nil), ("-1s", nil), ("1 s", nil), ("1S", nil), ("1min", nil), ("١s", nil),
            ("9223372036854775807d", nil),
        ] as [(String, Duration?)])
    func durations(text: String, duration: Duration?) { #expect(Units.duration(text) == duration) }

    @Test(
        arguments: [
            ("1", 1), ("1B", 1), ("2kB", 2000), ("2KB", 2000), ("4MB", 4_000_000), ("64KiB", 65_536), ("1MiB", 1_048_576), ("1GiB", 1 << 30),
            ("1mb", nil),
            ("1 MiB", nil), ("0x10", nil), ("1.5MiB", nil), ("MiB", nil), ("9223372036854775807GiB", nil),
        ] as [(String, Int?)])
    func sizes(text: String, bytes: Int?) { #expect(Units.size(text) == bytes.map(ByteCount.init)) }

    @Test func `limits are shown in the largest unit that fits`() {
        #expect(Units.format(Duration.seconds(86400)) == "1d")
        #expect(Units.format(Duration.milliseconds(1500)) == "1500ms")
        #expect(Units.format(Duration.zero) == "0ms")
        #expect(Units.format(ByteCount.mebibytes(4)) == "4MiB")
        #expect(Units.format(ByteCount(1000)) == "1000B")
    }
}

@Suite struct SuggestionTests {
    @Test(arguments: [
        ("", "", 0), ("abc", "", 3), ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abcd", "badc", 2), ("kitten", "sitting", 3),
        ("ca", "abc", 3),
    ])
    func distance(left: String, right: String, distance: Int) { #expect(Suggestion.distance(left, right) == distance) }

    @Test func `only what is close is suggested`() {
        let names = ["list", "partitions", "key", "dedupe", "maxEventBytes"]
        #expect(Suggestion.closest(to: "partitons", among: names) == "partitions")
        #expect(Suggestion.closest(to: "Key", among: names) == "key")
        #expect(Suggestion.closest(to: "maxEventSize", among: names) == "maxEventBytes")
        #expect(Suggestion.closest(to: "zzz", among: names) == nil)
        #expect(Suggestion.closest(to: "a", among: names) == nil)
        #expect(Suggestion.closest(to: String(repeating: "x", count: 100_000), among: names) == nil)
    }
}
