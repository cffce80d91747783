import Events
import Projector
import Testing

@testable import Jobs

@Suite struct PartitionShareTests {
    /// Runners that hold partitions, each of which looks in turn, until nothing changes any more.
    private struct Floor {
        let partitions: [PartitionID]
        var runners: [String]
        var held: [String: [PartitionID]] = [:]
        var moves = 0

        init(_ count: Int, _ runners: [String]) {
            partitions = (0..<count).map { PartitionID(stream: "product", number: $0) }
            self.runners = runners
        }

        func share(of runner: String, tried: [PartitionID] = [], leaving: [PartitionID] = []) -> PartitionShare {
            let taken = held.filter { $0.key != runner }.flatMap(\.value)
            var posts: [PartitionID: PartitionShare.Post] = [:]
            for partition in held[runner] ?? [] { posts[partition] = .held }
            for partition in tried { posts[partition] = .tried }
            for partition in leaving { posts[partition] = .leaving }
            return PartitionShare(of: runner, among: partitions, Attendance(runners: runners, taken: Set(taken)), posts)
        }

        mutating func settle() -> Int {
            for round in 1...20 {
                var isQuiet = true
                for runner in runners {
                    let share = share(of: runner)
                    isQuiet = isQuiet && share.start.isEmpty && share.stop.isEmpty
                    moves += share.start.count
                    held[runner, default: []].removeAll(where: share.stop.contains)
                    held[runner, default: []] += share.start
                }
                if isQuiet { return round }
            }
            return .max
        }

        var sizes: [Int] { runners.map { held[$0]?.count ?? 0 } }
    }

    @Test func `every runner comes to have an even share, and only what must moves`() {
        var floor = Floor(7, ["a"])
        #expect(floor.settle() < 4 && floor.sizes == [7])
        floor.moves = 0
        floor.runners = ["a", "b"]
        #expect(floor.settle() < 4 && floor.sizes == [4, 3] && floor.moves == 3)
        floor.runners = ["a", "b", "c"]
        floor.moves = 0
        #expect(floor.settle() < 5 && floor.sizes == [3, 2, 2] && floor.moves == 2)
        // The one in the middle goes.
        floor.runners = ["a", "c"]
        floor.held["b"] = nil
        floor.moves = 0
        #expect(floor.settle() < 5 && floor.sizes == [4, 3] && floor.moves == 2)
        #expect(Set(floor.held.values.flatMap(\.self)).count == 7)
    }

    @Test func `more runners than partitions leave some with nothing`() {
        var floor = Floor(2, ["a", "b", "c"])
        #expect(floor.settle() < 4 && floor.sizes == [1, 1, 0])
    }

    @Test func `two that begin together do not begin with the same partitions`() {
        let floor = Floor(4, ["a", "b"])
        #expect(floor.share(of: "a").start.map(\.number) == [0, 1] && floor.share(of: "b").start.map(\.number) == [2, 3])
    }

    @Test func `whoever asks in vain looks elsewhere, and a partition that is being left counts as nobody's`() {
        var floor = Floor(4, ["a", "b"])
        floor.held = ["b": [floor.partitions[0]]]
        let share = floor.share(of: "a", tried: [floor.partitions[0]])
        #expect(share.stop == [floor.partitions[0]] && share.start.map(\.number) == [1, 2])
        let patient = floor.share(of: "a", tried: [floor.partitions[1], floor.partitions[2]])
        #expect(patient.stop.isEmpty && patient.start.isEmpty)
        let next = floor.share(of: "a", leaving: [floor.partitions[1], floor.partitions[2]])
        #expect(next.stop.isEmpty && next.start.map(\.number) == [3])
    }

    /// One that is not among those who are there, since its word came too late, takes itself for the last.
    @Test func `a runner that the others do not see takes no more than the rest`() {
        let floor = Floor(3, ["a", "b"])
        #expect(floor.share(of: "c").start.count == 1)
    }
}
