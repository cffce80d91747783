/// One sequence of the log.
public struct PartitionID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var stream: String
    public var number: Int

    public init(stream: String, number: Int) {
        self.stream = stream
        self.number = number
    }

    public static func < (left: PartitionID, right: PartitionID) -> Bool {
        (left.stream, left.number) < (right.stream, right.number)
    }

    public var description: String { "\(stream)/\(number)" }
}

/// Which partition a key belongs to: CRC16(key) mod count, with the CRC of Redis Cluster (XMODEM: polynomial 0x1021,
/// initial value 0), so that any language with a Redis Cluster client can compute it.
public enum Partitioning {
    public static func partition(of key: some Sequence<UInt8>, count: Int) -> Int {
        count == 1 ? 0 : Int(crc16(key)) % count
    }

    static func crc16(_ bytes: some Sequence<UInt8>) -> UInt16 {
        bytes.reduce(0) { crc, byte in (crc << 8) ^ table[Int(UInt8(crc >> 8) ^ byte)] }
    }

    private static let table: [UInt16] = (0..<256).map { byte in
        (0..<8).reduce(UInt16(byte) << 8) { crc, _ in crc & 0x8000 != 0 ? (crc << 1) ^ 0x1021 : crc << 1 }
    }
}

/// A place in a log, across installations: `incarnation/stream/partition@offset`. Opaque to everybody else.
public struct Position: Hashable, Sendable, CustomStringConvertible {
    public var incarnation: String
    public var partition: PartitionID
    public var offset: Int64

    public init(incarnation: String, partition: PartitionID, offset: Int64) {
        self.incarnation = incarnation
        self.partition = partition
        self.offset = offset
    }

    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        let place = parts[2].split(separator: "@", omittingEmptySubsequences: false)
        guard place.count == 2, let number = Int(place[0]), let offset = Int64(place[1]), number >= 0, offset >= 0 else { return nil }
        self.init(incarnation: String(parts[0]), partition: PartitionID(stream: String(parts[1]), number: number), offset: offset)
        // One position, one text: no empty names, signs or leading zeros.
        guard !parts[0].isEmpty, !parts[1].isEmpty, description == text else { return nil }
    }

    public var description: String { "\(incarnation)/\(partition)@\(offset)" }
}
