import Events
import Projector

/// What really happened, which no server keeps: which elements each cut brought, and where each is logged first.
struct Witness: Sendable {
    /// The elements that each count of cuts brought, by list.
    private var cuts: [String: [(token: BufferToken, elements: [String])]] = [:]
    private var offsets: [[UInt8]: Int64] = [:]
    /// Every element gets one offset, and no other list is logged: so they can be counted. The log's end when that began.
    var countsFrom: Int64?

    mutating func cut(_ elements: [String], of list: String, as token: BufferToken) { cuts[list, default: []].append((token, elements)) }

    mutating func logged(_ chunk: Chunk) {
        for (place, element) in chunk.elements.enumerated() where element.kind != .duplicate {
            let bytes = Array(chunk.raw[element.start..<(element.start + element.length)])
            if offsets[bytes] == nil { offsets[bytes] = chunk.offset + Int64(place) }
        }
    }

    /// Those of the elements that are not in the log.
    func missing(_ elements: [String]) -> [String] { elements.filter { offsets[Array($0.utf8)] == nil } }

    /// What was cut up to a token, and is not logged below an offset.
    func missing(_ complete: ListCompleteness, below offset: Int64) -> String? {
        var count: Int64 = 0
        for (token, elements) in cuts[complete.list] ?? [] where token.run == complete.token.run && token.cuts <= complete.token.cuts {
            count += Int64(elements.count)
            for element in elements {
                guard let logged = offsets[Array(element.utf8)], logged < offset else { return element }
            }
        }
        if let countsFrom, countsFrom + count > offset { return "\(count) elements" }
        return nil
    }
}
