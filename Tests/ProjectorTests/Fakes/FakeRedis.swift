import Events
import Projector
import Values

/// What Redis keeps of one list, changed as the scripts change it. A value: an older state is a copy.
struct FakeRedis: Sendable {
    var run = "run-1"
    var list: [String] = []
    var segment: [String]?
    var identity: String?
    var isAdopted = false
    var fence: Int64 = 0
    var cuts: Int64 = 0
    var oversize: [String] = []
    /// Another installation, if it is not ours.
    var owner: String?

    mutating func cut(epoch: Int64, identity fresh: String) -> CutReply {
        if let owner { return .foreign(owner: owner) }
        if epoch < fence { return .fenced(by: fence) }
        fence = epoch
        if segment != nil {
            if identity == nil { (identity, isAdopted) = (fresh, true) }
        } else if !list.isEmpty {
            (segment, list, identity, isAdopted) = (list, [], fresh, false)
            cuts += 1
        }
        guard let segment, let identity else { return .cut(nil, complete: BufferToken(run: run, cuts: cuts)) }
        return .cut(Segment(identity: identity, length: Int64(segment.count), adopted: isAdopted), complete: BufferToken(run: run, cuts: cuts - 1))
    }

    func read(identity wanted: String, from: Int64, count: Int, limit: ByteCount) -> RawElements? {
        guard let segment, identity == wanted, Int(from) + count <= segment.count else { return nil }
        var elements = RawElements()
        for text in segment[Int(from)..<(Int(from) + count)] { Array(text.utf8).withUnsafeBytes { elements.append($0, limit: limit) } }
        return elements
    }

    mutating func release(epoch: Int64, identity wanted: String, oversize indexes: [Int64]) -> ReleaseReply {
        if epoch < fence { return .fenced(by: fence) }
        fence = epoch
        guard let segment, identity == wanted else { return .gone }
        oversize += indexes.map { segment[Int($0)] }
        (self.segment, identity) = (nil, nil)
        return .released
    }

    var token: BufferToken { BufferToken(run: run, cuts: cuts + (list.isEmpty ? 0 : 1)) }
    var isEmpty: Bool { list.isEmpty && segment == nil }
}
