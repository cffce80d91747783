import Events

/// Cuts what arrives in blocks into lines. Empty lines are left out.
public struct LineSplitter: Sendable {
    private var rest: [UInt8] = []
    private var isAtEnd = false
    private let mostBytes: Int

    /// - Parameter mostBytes: that a line can have.
    public init(mostBytes: Int = .max) { self.mostBytes = mostBytes }

    /// The next lines, about so many; none at the end.
    ///
    /// - Parameter block: gives the next block, nil or an empty one at the end.
    public mutating func next(_ count: Int, _ block: () async throws -> [UInt8]?) async throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        while lines.count < count, !isAtEnd {
            guard let bytes = try await block(), !bytes.isEmpty else {
                isAtEnd = true
                break
            }
            take(bytes, &lines)
            guard rest.count <= mostBytes else { throw Refusal(.badInput, "a line has more than \(mostBytes) bytes") }
        }
        if isAtEnd, !rest.isEmpty {
            lines.append(rest)
            rest = []
        }
        return lines
    }

    private mutating func take(_ bytes: [UInt8], _ lines: inout [[UInt8]]) {
        for (number, part) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if number > 0 {
                if !rest.isEmpty { lines.append(rest) }
                rest = []
            }
            rest += part
        }
    }
}
