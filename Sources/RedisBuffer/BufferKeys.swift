/// The keys of one list. The hash tag in the list's name keeps them in one slot of Redis Cluster.
struct BufferKeys: Hashable, Sendable {
    /// What producers push to.
    let list: String

    init(list: String) { self.list = list }

    /// The list after the cut.
    var segment: String { list + ":segment" }
    /// The segment's identity.
    var id: String { list + ":segment:id" }
    /// The highest epoch that has worked on the list.
    var fence: String { list + ":fence" }
    /// How many cuts have been made.
    var cuts: String { list + ":cuts" }
    /// Elements above `maxEventBytes`, kept until somebody drops them.
    var oversize: String { list + ":oversize" }
    /// The installation the list belongs to.
    var owner: String { list + ":owner" }

    /// In the order in which every script takes them.
    var all: [String] { [list, segment, id, fence, cuts, oversize, owner] }
    /// Those that are lists; the others are strings.
    var lists: [String] { [list, segment, oversize] }
}
