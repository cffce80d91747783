import Foundation
import Testing

/// What `drain --once --json` prints.
struct DrainReceipt: Decodable, Sendable {
    struct Sums: Decodable, Sendable {
        var behindBefore, logged, applied, ignored, parked, held, behindAfter: Int
        var inserted, updated, deleted, unchanged, drift: Int
    }

    var received, logged, duplicates, undecodable: Int
    var seconds: Double
    var models: [String: Sums]

    init(of ended: Child.Ended) throws {
        do {
            self = try JSONDecoder().decode(DrainReceipt.self, from: Data(ended.output.utf8))
        } catch {
            throw Failure("no receipt: \(ended.summary)")
        }
    }

    /// The sums that design.md promises.
    func expectSums(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(received == logged + duplicates, comment, sourceLocation: sourceLocation)
        for (name, sums) in models {
            #expect(sums.logged <= logged, "\(name)", sourceLocation: sourceLocation)
            #expect(
                sums.behindBefore + sums.logged == sums.applied + sums.ignored + sums.parked + sums.held + sums.behindAfter, "\(name)",
                sourceLocation: sourceLocation
            )
        }
    }
}

/// What `status --json` prints.
struct Status: Decodable, Sendable {
    struct Stream: Decodable, Sendable {
        var waiting, inSegment, oversize, received, logged, duplicates, undecodable: Int
    }

    struct Model: Decodable, Sendable {
        var lag, documents, parked: Int
        var lagSeconds: Double
        var note: String
    }

    var streams: [String: Stream]
    var models: [String: Model]
    var deadLetters: Int
}

/// What Tests/oracle/oracle.py finds.
struct Verdict: Decodable, Sendable {
    /// Of the journal.
    var events, duplicates, refused: Int
    var documents: Int
    /// Entries of each kind.
    var log: [String: Int]
    var lost, doubled, reordered, different: Int
    var examples: [String]
}
