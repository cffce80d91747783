import Fixtures
import Testing
import Values

@testable import Projector

@Suite struct DocumentSumsTests {
    private struct Stored: Hashable {
        var key: String
        var digest: Digest

        init(_ number: Int, _ content: String = "") {
            key = "key \(number)"
            digest = Digest(of: "document \(number) \(content)".utf8)
        }
    }

    private static func sums(_ documents: [Stored]) -> DocumentSums {
        var sums = DocumentSums()
        for document in documents { Array(document.key.utf8).withUnsafeBytes { sums.add($0, document.digest) } }
        return sums
    }

    private static let documents = (0..<5000).map { Stored($0) }

    @Test(arguments: Seed.ofThisRun) func `the order does not matter`(seed: Seed) {
        var random = Random(seed)
        let shuffled = Self.documents.map { ($0, random.below(1 << 30)) }.sorted { $0.1 < $1.1 }.map(\.0)
        #expect(shuffled != Self.documents)
        let sums = Self.sums(shuffled)
        #expect(sums.differences(from: Self.sums(Self.documents)).isEmpty && sums.documents == 5000)
    }

    @Test func `one more, one less, another one and the same one twice are found where they are`() {
        let documents = Self.documents
        let cases: [(name: String, documents: [Stored], differing: Stored)] = [
            ("one more", documents + [Stored(5000)], Stored(5000)), ("one less", documents.dropLast(), documents[4999]),
            ("another", documents.dropLast() + [Stored(4999, "edited")], documents[4999]), ("twice", documents + [documents[7]], documents[7]),
            ("thrice", documents + [documents[7], documents[7]], documents[7]),
        ]
        for (name, changed, differing) in cases {
            let buckets = Self.sums(changed).differences(from: Self.sums(documents))
            #expect(buckets.count == 1 && buckets.part == 1.0 / Double(DocumentSums.buckets), "\(name)")
            let found = (documents + [Stored(5000)]).filter { Array($0.key.utf8).withUnsafeBytes(buckets.contains) }
            #expect(found.contains(differing) && found.count <= 5, "\(name)")
        }
    }

    @Test func `contents that were exchanged between two keys are found`() {
        var documents = Self.documents
        (documents[1].digest, documents[2].digest) = (documents[2].digest, documents[1].digest)
        #expect(Self.sums(documents).differences(from: Self.sums(Self.documents)).count == 2)
    }
}
