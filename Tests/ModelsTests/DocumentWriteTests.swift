import Testing
import Values

@testable import Models

@Suite struct DocumentWriteTests {
    private static let old = DocumentPosition(partition: 2, offset: 10, time: 1000)
    private static let new = DocumentPosition(partition: 2, offset: 20, time: 2000)
    private static let position: Value = ["p": .int32(2), "o": .int64(20), "t": .date(2000)]

    private static func change(_ before: Document?, _ after: Document?) -> DocumentWrite? {
        DocumentWrite.change(
            from: before.map { StoredDocument(key: "k", position: old, fields: $0) }, to: after.map { StoredDocument(key: "k", position: new, fields: $0) }
        )
    }

    @Test func `made, removed, left alone`() throws {
        #expect(Self.change(nil, nil) == nil)
        #expect(Self.change(["a": 1], nil) == .delete(key: "k"))
        let bson = BSON.encode(["_id": "k", "_position": Self.position, "a": 1, "b": 2])
        #expect(Self.change(nil, ["a": 1, "b": 2]) == .insert(key: "k", bson: bson))
        let document = StoredDocument(key: "k", position: Self.new, fields: ["a": 1])
        #expect(DocumentWrite.change(from: document, to: document) == nil)
    }

    static let updates: [(Document, Document, set: Document, unset: [String])] = [
        // Only the position.
        (["a": 1, "b": [1]], ["a": 1, "b": [1]], [:], []),
        (["a": 1, "b": 2], ["a": 1, "b": 3], ["b": 3], []),
        (["a": 1], ["a": .int64(1)], ["a": .int64(1)], []),
        (["a": ["x": 1, "y": 2]], ["a": ["y": 2, "x": 1]], ["a": ["y": 2, "x": 1]], []),
        (["b": 1], ["b": 1, "a": 2], ["a": 2], []),
        (["z": 0], ["z": 1, "a": 1, "b": 2, "é": 3], ["z": 1, "a": 1, "b": 2, "é": 3], []),
        ([:], ["7": 1], ["7": 1], []),
        (["a": 1, "b": 2, "c": 3], ["b": 2], [:], ["a", "c"]),
        (["a": 1, "b": 2, "c": 3], ["a": 1, "c": 4, "d": 5], ["c": 4, "d": 5], ["b"]),
        (["7": 1, "3": 2], ["3": 2], [:], ["7"]),
        (["é": 1, "e\u{301}": 2], ["é": 1, "e\u{301}": 3], ["e\u{301}": 3], []),
        // A field that nobody touches may have any name.
        (["a.b": 1, "$x": 2, "": 3, "c": 4], ["a.b": 1, "$x": 2, "": 3, "c": 5], ["c": 5], []),
    ]

    @Test func `what changed, where an update keeps the order`() {
        for (before, after, set, unset) in Self.updates {
            let expected = DocumentWrite.update(key: "k", set: Document([.init("_position", Self.position)] + set.fields), unset: unset)
            #expect(Self.change(before, after) == expected, "\(before) to \(after)")
        }
    }

    static let replacements: [(Document, Document)] = [
        // MongoDB would add them in another order.
        ([:], ["b": 1, "a": 2]), (["x": 1], ["x": 1, "é": 1, "z": 2]), ([:], ["A": 1, "9": 1]), ([:], ["10": 1, "9": 2]), ([:], ["9": 1, "10": 2]),
        ([:], ["": 1, "a": 2]),
        // Fields that stay would stay where they are.
        (["a": 1, "b": 2], ["b": 2, "a": 1]), (["a": 1, "b": 2, "c": 3], ["c": 3, "a": 1, "b": 2]), (["b": 1], ["a": 1, "b": 1]),
        // Names that mean something else in an update.
        (["a.b": 1], ["a.b": 2]), (["$x": 1], ["$x": 2]), (["": 1], ["": 2]), (["a.b": 1], [:]), (["$x": 1], [:]), (["": 1], [:]),
        ([:], ["a.b": 1]), ([:], ["$x": 1]), ([:], ["": 1]), ([:], ["$\u{301}x": 1]),
    ]

    @Test func `all of it, where an update would not do`() {
        for (before, after) in Self.replacements {
            let bson = StoredDocument(key: "k", position: Self.new, fields: after).bson
            #expect(Self.change(before, after) == .replace(key: "k", bson: bson), "\(before) to \(after)")
        }
    }

    @Test func `every write names its document`() {
        let writes: [DocumentWrite] = [
            .insert(key: "k", bson: []), .update(key: "k", set: [:], unset: []), .replace(key: "k", bson: []), .put(key: "k", bson: []), .delete(key: "k"),
        ]
        #expect(writes.map(\.key) == ["k", "k", "k", "k", "k"])
    }
}
