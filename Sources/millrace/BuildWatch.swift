import MongoStore
import Projector

/// The pointer documents as one process knows them: read once for all of its workers.
actor BuildWatch {
    private let catalog: MongoCatalog
    private let models: [String]
    private var known: [String: ModelPointer]
    private var read = ContinuousClock.now

    /// - Parameters:
    ///   - models: that this process works for, in their order.
    ///   - known: their pointer documents, just read.
    init(_ catalog: MongoCatalog, models: [String], known: [String: ModelPointer]) {
        self.catalog = catalog
        self.models = models
        self.known = known
    }

    /// In the order of the models.
    ///
    /// - Parameter age: what was read longer ago is read again.
    func pointers(within age: Duration) async throws -> [ModelPointer] {
        if age == .zero || .now - read > age {
            let began = ContinuousClock.now
            let found = try await catalog.pointers()
            // Somebody else may have asked later, and been answered first.
            if began > read { (known, read) = (found, began) }
        }
        return models.compactMap { known[$0] }
    }
}
