import Events
import Foundation
import Logging
import Models

/// Sends readers back to the build that they left last.
public struct RebuildUndo: Sendable {
    public enum Outcome: Hashable, Sendable {
        /// A switch to this build was under way: it is struck out, and readers never saw it.
        case struckOut(BuildID)
        case switched(from: BuildID, to: BuildID)
    }

    private let model: String
    private let places: [RebuildFold.Place]
    private let store: any SwitchStore
    private let keep: Duration
    private let logger: Logger
    private let folding: @Sendable (StoredBuild) throws -> any Folding

    /// - Parameters:
    ///   - keep: how long the build is kept that is left now.
    ///   - folding: the fold that a build was made by. Throws where this binary does not carry it.
    public init(
        _ model: String, _ places: [RebuildFold.Place], _ store: any SwitchStore, keep: Duration, logger: Logger,
        folding: @escaping @Sendable (StoredBuild) throws -> any Folding
    ) {
        self.model = model
        self.places = places
        self.store = store
        self.keep = keep
        self.logger = logger
        self.folding = folding
    }

    /// The switch that is under way, if there is one that readers have not gone over by: it is struck out, whoever is at it.
    public func strikeOut() async throws -> Outcome? {
        guard let entry = try await store.pointer(to: model)?.entry else { return nil }
        return try await store.change(model) { $0.struckOut(entry.id) }.map { _ in .struckOut(entry.target) }
    }

    /// To be run while the lease of the model's builds is held. Throws a `Refusal` where no build is kept.
    public func run() async throws -> Outcome {
        try await Fault.borne("go back", logger) {
            let switching = BuildSwitch(model: model, places, store, logger: logger, folding: folding)
            if let entry = try await store.pointer(to: model)?.entry { _ = try await switching.finish(entry) }
            guard let pointer = try await store.pointer(to: model), let kept = pointer.lastLeft else {
                throw Refusal(.unknownName, "no earlier build of \(model) is kept: only rebuilding it under its earlier definition goes back")
            }
            // Where somebody drains, he keeps it current.
            try await RebuildFold(kept.id, try folding(kept), places, logger: logger).catchUp()
            let entry = try await switching.enter(kept.id, keep: keep)
            guard try await switching.finish(entry) else {
                throw Refusal(.noProgress, "the switch to \(kept.id) was struck out by somebody else: readers see \(pointer.live) as before")
            }
            return .switched(from: pointer.live, to: kept.id)
        }
    }
}
