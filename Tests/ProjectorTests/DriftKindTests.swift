import Events
import Models
import Testing
import Values

@testable import Projector

/// What is called drift, and what is not.
@Suite struct DriftKindTests {
    private static let partition = PartitionID(stream: "test", number: 0)
    private static let wanted = StoredDocument(key: "k", position: DocumentPosition(partition: 0, offset: 7, time: 5), fields: ["a": 1, "b": "x"])

    private static func drift(_ found: Document?, _ wanted: StoredDocument?, at time: Int64 = 0) throws -> Drift? {
        try Drift.of("k", partition, found: found.map { BSON.encode($0) }, wanted: wanted?.unlessExpired(at: time), at: time)
    }

    private static func stored(_ document: StoredDocument, _ change: (inout Document) -> Void = { _ in }) throws -> Document {
        var stored = try Document(bson: document.bson)
        change(&stored)
        return stored
    }

    @Test func `what is as the events make it is none`() throws {
        #expect(try Self.drift(nil, nil) == nil)
        #expect(try Self.drift(Self.stored(Self.wanted), Self.wanted) == nil)
    }

    @Test func `missing, extra and different, with the fields`() throws {
        #expect(try Self.drift(nil, Self.wanted)?.kind == .missing)
        #expect(try Self.drift(["_id": "k"], nil)?.kind == .extra)
        #expect(try Self.drift(Self.stored(Self.wanted), nil)?.kind == .extra)

        func fields(_ change: (inout Document) -> Void) throws -> [Drift.Field]? {
            let drift = try Self.drift(Self.stored(Self.wanted, change), Self.wanted)
            #expect(drift?.kind == .different)
            return drift?.fields
        }
        #expect(try fields { $0["a"] = 2 } == [.init(name: "a", found: 2, expected: 1)])
        // Of another type, though MongoDB calls it equal.
        #expect(try fields { $0["a"] = .int64(1) } == [.init(name: "a", found: .int64(1), expected: 1)])
        #expect(try fields { $0["b"] = nil } == [.init(name: "b", found: nil, expected: "x")])
        #expect(try fields { $0["c"] = true } == [.init(name: "c", found: true, expected: nil)])
        let position = Self.wanted.bson.isEmpty ? nil : try Self.stored(Self.wanted)["_position"]
        #expect(try fields { $0["_position"] = nil } == [.init(name: "_position", found: nil, expected: position)])
        let moved: Value = ["p": 0, "o": .int64(8), "t": .date(5)]
        #expect(try fields { $0["_position"] = moved } == [.init(name: "_position", found: moved, expected: position)])
        #expect(
            try fields {
                $0["a"] = nil
                $0["a"] = 1
            } == [.init(name: Drift.orderOfFields, found: nil, expected: nil)])
    }

    @Test func `what has expired by the checkpoint's time may be there or not`() throws {
        var wanted = Self.wanted
        wanted.expires = 100
        #expect(try Self.drift(nil, wanted, at: 100) == nil)
        #expect(try Self.drift(Self.stored(wanted), wanted, at: 100) == nil)
        #expect(try Self.drift(nil, wanted, at: 99)?.kind == .missing)
        // Somebody has set it to expire.
        let early = try Self.stored(wanted) { $0["_expires"] = .date(50) }
        #expect(try Self.drift(early, wanted, at: 99)?.fields == [.init(name: "_expires", found: .date(50), expected: .date(100))])
        #expect(try Self.drift(early, wanted, at: 100) == nil)
        // Or to live on.
        #expect(try Self.drift(Self.stored(wanted) { $0["_expires"] = .date(500) }, wanted, at: 100)?.kind == .extra)
        #expect(try Self.drift(Self.stored(wanted) { $0["_expires"] = nil }, wanted, at: 100)?.kind == .extra)
    }

    @Test func `a column of keys compares as MongoDB sorts`() {
        var column = KeyColumn()
        for key in ["a", "ab", "b", "é", "😀"] { column.append(key) }
        for left in 0..<column.count {
            for right in 0..<column.count {
                #expect(column.isEqual(at: left, to: column, at: right) == (left == right))
                #expect(column.isBefore(left, column, right) == (left < right))
            }
        }
        #expect(column[3] == "é" && column.last == "😀")
    }
}
