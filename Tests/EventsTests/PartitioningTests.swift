import Testing

@testable import Events

@Suite struct PartitioningTests {
    /// The check value of CRC-16/XMODEM, and slots that `CLUSTER KEYSLOT` answers.
    @Test(arguments: [("123456789", 0x31C3), ("", 0)])
    func `the checksum is that of Redis Cluster`(text: String, expected: UInt16) {
        #expect(Partitioning.crc16(text.utf8) == expected)
    }

    @Test(arguments: [("foo", 12182), ("somekey", 11058), ("hash_tag", 2515)])
    func `sixteen thousand partitions would be the slots of Redis Cluster`(key: String, slot: Int) {
        #expect(Partitioning.partition(of: key.utf8, count: 16384) == slot)
    }

    @Test func `every partition of a few gets its share`() {
        for count in 1...16 {
            var keys = [Int](repeating: 0, count: count)
            for number in 0..<(count * 100) { keys[Partitioning.partition(of: "key-\(number)".utf8, count: count)] += 1 }
            #expect(keys.allSatisfy { $0 > 30 }, "\(count) partitions")
        }
    }

    @Test(arguments: [
        ("events:{product}", 0, "events:{product}"), ("events:{product}", 3, "events:{product.3}"), ("events:{product}", 4095, "events:{product.4095}"),
        ("{a}:{b}", 2, "{a}:{b.2}"), ("{a}:tail", 2, "{a.2}:tail"), ("plain", 0, "plain"), ("plain", 1, "plain.1"),
    ])
    func `the lists of a stream`(list: String, partition: Int, expected: String) {
        var settings = StreamSettings(name: "product")
        #expect(settings.list == "events:{product}")
        settings.list = list
        #expect(settings.list(of: partition) == expected)
    }
}
