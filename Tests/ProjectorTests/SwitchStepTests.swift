import Events
import Models
import Projector
import Testing

/// Rule 18: what is done next follows from what is stored.
@Suite struct SwitchStepTests {
    private static let (old, new) = (ModelPointerTests.build(1).id, ModelPointerTests.build(2).id)
    private static let partitions = (0..<2).map { PartitionID(stream: "product", number: $0) }
    private static let before = ModelPointer(
        model: "product", live: old, builds: [KeptBuild(ModelPointerTests.build(1), .live, made: 0), KeptBuild(ModelPointerTests.build(2), .building, made: 0)])
    private static let entered = before.entering(SwitchEntry(id: "s1", target: new, keep: 0))

    private static func checkpoints(_ build: BuildID, _ offsets: [Int64], frozen: [String?] = [nil, nil]) -> [Checkpoint] {
        zip(partitions, zip(offsets, frozen)).map { partition, what in
            var checkpoint = Checkpoint(build: build, partition: partition)
            (checkpoint.offset, checkpoint.frozen) = what
            return checkpoint
        }
    }

    private static func step(_ pointer: ModelPointer?, _ oldOnes: [Checkpoint] = [], _ newOnes: [Checkpoint] = [], view: BuildID? = nil) -> SwitchStep {
        SwitchStep("s1", new, pointer: pointer, old: oldOnes, new: newOnes, view: view)
    }

    @Test func `everything is frozen before anything is reached, and reached before readers go over`() {
        let behind = Self.checkpoints(Self.new, [9, 0])
        #expect(Self.step(Self.entered, Self.checkpoints(Self.old, [5, 7]), behind) == .freeze(Self.old, Self.partitions))
        #expect(
            Self.step(Self.entered, Self.checkpoints(Self.old, [5, 7], frozen: ["s1", "s0"]), behind) == .freeze(Self.old, [Self.partitions[1]]),
            "a freeze of another switch is none")
        let frozen = Self.checkpoints(Self.old, [5, 7], frozen: ["s1", "s1"])
        #expect(Self.step(Self.entered, frozen, behind) == .reach(Self.new, [Self.partitions[1]: 7]))
        #expect(Self.step(Self.entered, frozen, []) == .reach(Self.new, [Self.partitions[0]: 5, Self.partitions[1]: 7]))
        #expect(Self.step(Self.entered, frozen, Self.checkpoints(Self.new, [9, 7])) == .move)
    }

    @Test func `the view follows the pointer before the switch is closed`() {
        let moved = Self.entered?.moved("s1", at: 0)
        #expect(Self.step(moved, view: Self.old) == .pointView(Self.new))
        #expect(Self.step(moved, view: nil) == .pointView(Self.new))
        #expect(Self.step(moved, view: Self.new) == .close)
    }

    @Test func `what is not entered any more is over`() {
        #expect(Self.step(nil) == .over(isMade: false))
        #expect(Self.step(Self.entered?.struckOut("s1")) == .over(isMade: false))
        #expect(Self.step(Self.entered?.moved("s1", at: 0)?.closed("s1")) == .over(isMade: true))
        #expect(Self.step(Self.before.entering(SwitchEntry(id: "s2", target: Self.new, keep: 0))) == .over(isMade: false), "another one's")
    }
}
