import EventFixtures
import Testing
import Values

@testable import Events

@Suite struct RawElementsTests {
    @Test func `elements lie end to end`() {
        let elements = RawElements(["abc", "", "de"])
        #expect(elements.count == 3)
        #expect(elements.bytes == Array("abcde".utf8))
        #expect(elements.offsets == [0, 3, 3])
        #expect(elements.lengths == [3, 0, 2])
        #expect(elements.oversize.isEmpty)
    }

    @Test(arguments: [(1024, false), (1025, true)]) func `the limit is the last length that is taken`(length: Int, isOversize: Bool) {
        let elements = RawElements(["{}", String(repeating: "x", count: length)], limit: .kibibytes(1))
        #expect((elements.oversize[1] != nil) == isOversize)
        #expect(elements.lengths == [2, UInt32(length)])
    }

    @Test func `of a longer one the head is kept, with length and digest of all of it`() {
        let text = String(repeating: "0123456789", count: 20_000)
        let elements = RawElements(["[1]", text, "[2]"])
        #expect(elements.oversize.isEmpty)
        let cut = RawElements(["[1]", text, "[2]"], limit: .kibibytes(100))
        #expect(cut.oversize == [1: .init(length: 200_000, digest: Digest(of: text.utf8))])
        #expect(cut.lengths == [3, 65_536, 3])
        #expect(cut.bytes.count == 65_542)
        let tape = cut.parse()
        let values = withExtendedLifetime(tape) { [0, 2].map { try? tape.root($0).get().value } }
        #expect(values == [[1], [2]])
    }
}
