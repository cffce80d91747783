import Events

/// Rule 18 as a decision: what is to be done next about a switch follows from what is stored, whoever looks and however
/// often.
public enum SwitchStep: Hashable, Sendable {
    /// The checkpoints of the build that is left, in these partitions.
    case freeze(BuildID, [PartitionID])
    /// The new build is to take these partitions' logs up to here.
    case reach(BuildID, [PartitionID: Int64])
    /// Readers go over.
    case move
    /// Outside readers too: the view is not where the pointer is.
    case pointView(BuildID)
    case close
    /// It is made and closed, or struck out.
    case over(isMade: Bool)

    /// - Parameters:
    ///   - old: the checkpoints of the live build, of all partitions; read after the pointer.
    ///   - new: the target's, read after them.
    ///   - view: what outside readers see, read after the pointer.
    public init(_ id: String, _ target: BuildID, pointer: ModelPointer?, old: [Checkpoint], new: [Checkpoint], view: BuildID?) {
        guard let pointer, pointer.entry?.id == id else {
            self = .over(isMade: pointer?.live == target)
            return
        }
        guard pointer.live != target else {
            self = view == pointer.live ? .close : .pointView(pointer.live)
            return
        }
        let open = old.filter { $0.frozen != id }
        guard open.isEmpty else {
            self = .freeze(pointer.live, open.map(\.partition))
            return
        }
        let reached = Dictionary(new.map { ($0.partition, $0.offset) }, uniquingKeysWith: { $1 })
        let behind = old.filter { reached[$0.partition] ?? 0 < $0.offset }
        self = behind.isEmpty ? .move : .reach(target, Dictionary(behind.map { ($0.partition, $0.offset) }, uniquingKeysWith: { $1 }))
    }
}
