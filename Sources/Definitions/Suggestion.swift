/// Finds what was probably meant.
public enum Suggestion {
    /// The closest candidate, or nil when none is close: at most two edits away or a third of the name's length, and
    /// never more than half of it, since everything resembles a name of two letters.
    public static func closest(to name: String, among candidates: some Sequence<String>) -> String? {
        let count = name.unicodeScalars.count
        // Nothing that long resembles a name of ours, and the distance takes quadratic time.
        guard count <= 100 else { return nil }
        let limit = max(min(2, count / 2), count / 3)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = distance(name.lowercased(), candidate.lowercased())
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// `did you mean "partitions"?`
    static func didYouMean(_ name: String, among candidates: some Sequence<String>) -> String? {
        closest(to: name, among: candidates).map { "did you mean \(quoted($0))?" }
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other (optimal string
    /// alignment, the restricted Damerau-Levenshtein distance).
    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left.unicodeScalars), Array(right.unicodeScalars))
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
