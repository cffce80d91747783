/// How often each of very many ids was asked for lately, about: a count-min sketch that forgets (Cormode and Muthukrishnan 2005;
/// halved like TinyLFU's, Einziger, Friedman and Manes 2017). It counts too much where ids collide, and never too little.
struct FrequencySketch: Sendable {
    private static let rows = 4
    /// Counts are this part of the width when they are halved, so that few ids that were never asked for seem to have been.
    private static let fill = 4

    private var counts: [UInt8]
    private let mask: Int
    private var additions = 0

    /// - Parameter capacity: ids that are to be told apart from those that are asked for once.
    init(capacity: Int) {
        let width = max(1 << 14, (capacity * 16).nextPowerOfTwo)
        mask = width - 1
        counts = Array(repeating: 0, count: width * Self.rows)
    }

    mutating func add(_ id: String) {
        for place in places(id) where counts[place] < .max { counts[place] += 1 }
        additions += 1
        guard additions * Self.fill > mask else { return }
        additions /= 2
        for place in counts.indices { counts[place] >>= 1 }
    }

    func count(_ id: String) -> Int { places(id).reduce(Int.max) { min($0, Int(counts[$1])) } }

    /// One in each row.
    private func places(_ id: String) -> some Sequence<Int> {
        let hash = UInt64(bitPattern: Int64(id.hashValue))
        let (first, step) = (Int(truncatingIfNeeded: hash & 0xFFFF_FFFF), Int(truncatingIfNeeded: hash >> 32) | 1)
        return (0..<Self.rows).lazy.map { [mask] row in row * (mask + 1) + (first &+ row &* step) & mask }
    }
}

extension Int {
    fileprivate var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
