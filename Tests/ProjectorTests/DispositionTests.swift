import Events
import Testing
import Values

@testable import Projector

@Suite struct DispositionTests {
    static let rows: [(any Error, Disposition)] = [
        (StoreLost(isRetriable: true), .retry), (StoreLost(isRetriable: false), .stop), (ChunkError.damaged("x"), .stop), (ChunkError.newerFormat(2), .stop),
        (Refusal(.otherInstallation, "x"), .stop), (Refusal(.logDamaged, "x"), .stop), (CancellationError(), .retry), (BSONError(reason: "x"), .retry),
        (LeaseLost(), .retry),
    ]

    @Test func `what is known to need a person stops the partition, all else is tried again`() {
        for (error, expected) in Self.rows { #expect(Disposition.of(error) == expected, "\(error)") }
    }
}
