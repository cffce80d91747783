import Foundation
import Projector

extension RunRecord {
    /// Of work that somebody asked for by its command, and that ends now.
    init(byHand kind: RunKind, owner: String, started: ContinuousClock.Instant, _ outcome: RunOutcome) {
        self.init(id: UUID().uuidString.lowercased(), job: kind.rawValue, kind: kind, owner: owner, lasted: .now - started, outcome: outcome)
    }
}
