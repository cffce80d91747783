import Definitions
import Events
import Models
import Projector

extension StoredBuild {
    /// What the build's definition is, once a worker has started with the configured one.
    ///
    /// - Parameter configured: the model as it is defined now, which is compiled already.
    func definition(_ configured: Model?) throws -> Model {
        if let configured, configured.goesOn(with: foldHash) { return configured }
        return try ModelReader.read(source: source, versions: versions, file: "the definition of \(id)")
    }

    /// The fold of the definition that the build was made under. Throws where this binary cannot fold it.
    ///
    /// - Parameter configured: the model as it is defined now, which is compiled already.
    func fold(_ configured: Model?) throws -> EffectFold {
        guard isFoldable else {
            throw Refusal(.newerFoldVersion, "\(id) was folded by version \(foldVersion), and this binary carries \(Models.foldVersion)")
        }
        if let configured, configured.foldHash == foldHash { return configured.fold }
        return try ModelReader.read(source: source, versions: versions, file: "the definition of \(id)").fold
    }
}
