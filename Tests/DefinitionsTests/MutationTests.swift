import Testing

@testable import Definitions

/// Text that is nearly right must give problems or a model, and never stop the program.
@Suite struct MutationTests {
    private static let seeds = [
        """
        version: 1
        model: product
        stream: product
        fold:
          a: &x { $set: { b: $data.b, "c": [ 1, 2.5, ~ ] }, $inc: { d: -1 } }
          e: [ *x, { $delete: true } ]

        """,
        """
        version: 1
        model: p
        stream: p
        fold:
          a:
            $push: { b: { $each: [ { id: $$doc.id } ], $slice: -10 } }
            $pull: { c: { d.e: 'x' } }
          a: !!map {}

        """,
        """
        version: 1
        redis: { url: "redis://u:p@h:1/0" }
        mongodb: { url: "mongodb://a,b:1/?w=1" }
        streams:
          p: { list: {x}, key: $data.k, chunk: { bytes: 1MiB } }

        """,
    ]
    private static let pieces = Array("{}[]:,&*!|>'\"%@`#?-$.\n\t ~<\\0é\u{0}\u{85}\u{2028}\u{FEFF}\u{E000}".unicodeScalars)

    @Test func `text that is nearly right does not stop the program`() {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = Random(state: seed)
        for _ in 0..<3000 {
            var scalars = Array(Self.seeds[random.below(Self.seeds.count)].unicodeScalars)
            for _ in 0...random.below(6) {
                let place = random.below(scalars.count)
                switch random.below(4) {
                case 0: scalars[place] = Self.pieces[random.below(Self.pieces.count)]
                case 1: scalars.insert(Self.pieces[random.below(Self.pieces.count)], at: place)
                case 2 where scalars.count > 1: scalars.remove(at: place)
                default:
                    let end = min(scalars.count, place + random.below(20))
                    scalars.insert(contentsOf: scalars[place..<end], at: random.below(scalars.count))
                }
            }
            let text = String(String.UnicodeScalarView(scalars))
            for problem in problems(model: text) { #expect(!problem.description.contains("\n")) }
            let findings = Findings(file: "millrace.yaml")
            _ = ConfigurationReader(findings: findings, environment: [:]).read(text)
            _ = JobReader.read(text, name: "job", streams: [], Findings(file: "job.yaml"))
        }
    }

    /// SplitMix64: the same numbers for the same seed.
    private struct Random {
        var state: UInt64

        mutating func below(_ limit: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((z ^ (z >> 31)) % UInt64(limit))
        }
    }
}
