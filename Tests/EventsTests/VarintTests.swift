import Fixtures
import Testing
import Values

@testable import Events

@Suite struct VarintTests {
    @Test(arguments: Seed.ofThisRun) func `numbers of every length come back`(seed: Seed) throws {
        var random = Random(seed)
        let numbers = [0, 1, 127, 128, .max] + (0..<64).map { random.next() >> UInt64($0) }
        let signed = [0, -1, 1, .min, .max, .min + 1] + numbers.map { Int64(bitPattern: $0) }
        var out = VarintWriter()
        for number in numbers { out.write(number) }
        for number in signed { out.write(signed: number) }
        out.write(strings: ["", "é", String(repeating: "x", count: 200)])
        var input = VarintReader(bytes: out.bytes)
        for number in numbers { #expect(try input.unsigned() == number) }
        for number in signed { #expect(try input.signed() == number) }
        #expect(try input.strings() == ["", "é", String(repeating: "x", count: 200)])
        #expect(throws: ChunkError.self) { try input.byte() }
    }

    static let lengths: [(UInt64, Int)] = [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (.max, 10)]

    @Test func `small numbers are short`() {
        for (number, length) in Self.lengths {
            var out = VarintWriter()
            out.write(number)
            #expect(out.bytes.count == length)
        }
        var out = VarintWriter()
        out.write(signed: -64)
        #expect(out.bytes == [127])
    }

    @Test func `what does not end, or is too long, is refused`() {
        for bytes in [[], [0x80], [UInt8](repeating: 0x80, count: 9), [UInt8](repeating: 0x80, count: 11) + [0]] {
            var input = VarintReader(bytes: bytes)
            #expect(throws: ChunkError.self) { try input.unsigned() }
        }
        for bytes in [[1], [1, 5, 97], [2, 1, 97], [200, 1]] as [[UInt8]] {
            var input = VarintReader(bytes: bytes)
            #expect(throws: ChunkError.self) { try input.strings() }
        }
        var input = VarintReader(bytes: [0, 3, 4])
        #expect((try? input.index(below: 3)) == -1 && (try? input.index(below: 3)) == 2)
        #expect(throws: ChunkError.self) { try input.index(below: 3) }
    }
}
