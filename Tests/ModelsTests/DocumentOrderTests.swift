import Fixtures
import Testing
import Values

@testable import Models

/// The write of a change, applied by MongoDB's rules, gives the folded document byte for byte.
@Suite struct DocumentOrderTests {
    @Test(arguments: Seed.ofThisRun) func `random changes arrive in the folded order`(seed: Seed) throws {
        var updates = 0
        for round in 0..<20_000 {
            var random = Random(seed, round: round)
            let names = Random.names.filter { $0 != "_id" }
            let before = random.document(.json, depth: 1, names: names)
            var after = random.once(in: 10) ? random.document(.json, depth: 1, names: names) : before
            for _ in 0..<random.below(6) { change(&after, names, &random) }
            let stored = StoredDocument(key: "k", position: DocumentPosition(partition: 0, offset: 1, time: 5), fields: before)
            let folded = StoredDocument(key: "k", position: DocumentPosition(partition: 0, offset: 2, time: 6), fields: after)
            let written: [UInt8]? =
                switch DocumentWrite.change(from: stored, to: folded) {
                case .update(_, let set, let unset)?: try Document(bson: stored.bson).updated(set: set, unset: unset).map(BSON.encode)
                case .replace(_, let bson)?: bson
                default: nil
                }
            if case .update? = DocumentWrite.change(from: stored, to: folded) { updates += 1 }
            #expect(written == folded.bson, "round \(round): \(before) to \(after)")
        }
        #expect(updates > 5000)
    }

    private func change(_ document: inout Document, _ names: [String], _ random: inout Random) {
        switch random.below(8) {
        case 0: document.fields.shuffle(using: &random)
        case 1, 2: if let name = document.fields.randomElement(using: &random)?.name { document[name] = nil }
        case 3, 4: if let name = document.fields.randomElement(using: &random)?.name { document[name] = random.value(.json, depth: 1) }
        default: document[random.pick(names)] = random.value(.json, depth: 1)
        }
    }
}
