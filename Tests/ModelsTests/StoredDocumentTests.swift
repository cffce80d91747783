import Fixtures
import Testing
import Values

@testable import Models

@Suite struct StoredDocumentTests {
    @Test(arguments: Seed.ofThisRun) func `what is stored comes back`(seed: Seed) throws {
        var random = Random(seed)
        for _ in 0..<300 {
            let fields = random.document(.bson, names: Random.names.filter { $0 != "_id" })
            let position = DocumentPosition(partition: random.below(4096), offset: Int64(random.below(1 << 40)), time: Int64(random.below(1 << 40)))
            let document = StoredDocument(key: random.pick(["k", "é", "7"]), position: position, fields: fields)
            #expect(StoredDocument(try Document(bson: document.bson)) == document)
        }
    }

    @Test func `key and position come first`() throws {
        let document = StoredDocument(key: "k", position: DocumentPosition(partition: 1, offset: 2, time: 3), fields: ["z": 1, "a": 2])
        #expect(
            try Document(bson: document.bson) == ["_id": "k", "_position": ["p": .int32(1), "o": .int64(2), "t": .date(3)], "z": 1, "a": 2])
    }

    static let others: [Document] = [
        [:], ["_id": "k"], ["_position": ["p": 1, "o": .int64(2), "t": .date(3)]], ["_id": 7, "_position": ["p": 1, "o": .int64(2), "t": .date(3)]],
        ["_id": "k", "_position": nil], ["_id": "k", "_position": "x"], ["_id": "k", "_position": [:]], ["_id": "k", "_position": [1, .int64(2), .date(3)]],
        ["_id": "k", "_position": ["p": 1, "o": .int64(2)]], ["_id": "k", "_position": ["p": 1, "t": .date(3)]],
        ["_id": "k", "_position": ["o": .int64(2), "t": .date(3)]],
        ["_id": "k", "_position": ["p": 1, "o": .int64(2), "t": .date(3), "x": 1]],
        ["_id": "k", "_position": ["p": .int64(1), "o": .int64(2), "t": .date(3)]], ["_id": "k", "_position": ["p": 1, "o": 2, "t": .date(3)]],
        ["_id": "k", "_position": ["p": 1, "o": .int64(2), "t": .int64(3)]], ["_id": "k", "_position": ["p": 1.0, "o": .int64(2), "t": .date(3)]],
        ["_id": "k", "_position": ["p": nil, "o": .int64(2), "t": .date(3)]],
    ]

    @Test func `without a valid position it is somebody else's`() {
        for document in Self.others { #expect(StoredDocument(document) == nil, "\(JSON.write(.document(document)))") }
    }
}
