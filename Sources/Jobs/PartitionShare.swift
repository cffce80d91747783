import Events
import Projector

/// Which partitions a runner starts and stops to work on, so that every runner comes to have an even share and none has
/// more: whoever has too many gives some back, whoever has too few takes what nobody holds. The shares add up to all
/// partitions, so that what is free always has a taker.
struct PartitionShare: Equatable {
    var start: [PartitionID] = []
    var stop: [PartitionID] = []

    /// How a runner stands to a partition that it works on.
    enum Post {
        case held
        /// It asks for the lease.
        case tried
        /// It finishes what it is at, and gives the lease back.
        case leaving
    }

    init(of runner: String, among partitions: [PartitionID], _ attendance: Attendance, _ posts: [PartitionID: Post]) {
        let count = max(1, attendance.runners.count)
        // What does not divide evenly goes to those who came first, who have it already.
        let rank = attendance.runners.firstIndex(of: runner) ?? count - 1
        let share = partitions.count / count + (rank < partitions.count % count ? 1 : 0)
        let held = partitions.filter { posts[$0] == .held }
        let tried = partitions.filter { posts[$0] == .tried }
        // Where somebody else was first, there is nothing to wait for.
        let trying = tried.filter { !attendance.taken.contains($0) }
        let room = max(0, share - held.count)
        stop = held.dropFirst(share) + trying.dropFirst(room) + tried.filter(attendance.taken.contains)
        guard room > trying.count else { return }
        let free = partitions.filter { posts[$0] == nil && !attendance.taken.contains($0) }
        // Each begins elsewhere, so that not all ask for the same one.
        let first = free.isEmpty ? 0 : rank * free.count / count
        start = Array((free[first...] + free[..<first]).prefix(room - trying.count))
    }
}
