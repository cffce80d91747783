import Fixtures
import Testing

@testable import Events

@Suite struct PositionTests {
    @Test func `a position is written and read`() {
        let position = Position(incarnation: "5f1c", partition: PartitionID(stream: "product", number: 3), offset: 17)
        #expect(position.description == "5f1c/product/3@17")
        #expect(Position("5f1c/product/3@17") == position)
    }

    @Test(arguments: Seed.ofThisRun) func `random positions come back`(seed: Seed) {
        var random = Random(seed)
        for _ in 0..<500 {
            let position = Position(
                incarnation: random.pick(["a", "5f1c-77", "é"]), partition: PartitionID(stream: random.pick(["s", "a.b", "x@y"]), number: random.below(4096)),
                offset: random.pick([0, Int64(random.below(1000)), .max])
            )
            #expect(Position(position.description) == position)
        }
    }

    @Test(arguments: [
        "", "a", "a/b", "a/b/1", "a/b/@2", "a/b/1@", "a/b/c@2", "a/b/1@c", "a/b/-1@2", "a/b/1@-2", "a/b/1@2/3", "a/b/1@2@3", "a/b/1@9223372036854775808",
        "/b/1@2", "a//1@2", "a/b/+1@2", "a/b/1@+2", "a/b/01@2", "a/b/1@02", "a/b/ 1@2", "a/b/1@2 ",
    ])
    func `what is no position`(text: String) {
        #expect(Position(text) == nil)
    }

    @Test func `partitions sort by stream, then by number`() {
        let sorted = [("a", 2), ("a", 10), ("b", 1)].map { PartitionID(stream: $0.0, number: $0.1) }
        #expect(sorted.reversed().sorted() == sorted)
        #expect(sorted[1].description == "a/10")
    }
}
