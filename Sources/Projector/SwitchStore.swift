import Events

/// The pointer documents, and what a switch does beside changing them. One causally consistent session, majority reads.
public protocol SwitchStore: ProjectionStore {
    /// Stores a pointer document in the place of the one that it was computed from. False where somebody else has changed
    /// that meanwhile.
    func replace(_ pointer: ModelPointer, with changed: ModelPointer) async throws -> Bool

    /// Freezes a build's checkpoints in these partitions under a switch's id, whatever they were frozen under before.
    func freeze(_ build: BuildID, _ partitions: [PartitionID], under id: String) async throws

    /// The build that outside readers see, or nil where there is no view.
    func view(of model: String) async throws -> BuildID?

    /// Shows outside readers a build. False where an outsider keeps it from that for too long: then it is to be asked again.
    func pointView(at build: StoredBuild) async throws -> Bool

    /// Removes a build's checkpoints, documents, dead letters that nothing was decided about, and counts of unknown types.
    func remove(_ build: BuildID) async throws

    /// MongoDB's clock: milliseconds since 1970.
    func clock() async throws -> Int64
}

extension SwitchStore {
    /// Changes a model's pointer document, however often somebody else does so meanwhile. Returns what it was changed to, or
    /// nil where the change cannot be made any more.
    public func change(_ model: String, _ change: @Sendable (ModelPointer) -> ModelPointer?) async throws -> ModelPointer? {
        while let pointer = try await pointer(to: model), let changed = change(pointer) {
            if try await replace(pointer, with: changed) { return changed }
        }
        return nil
    }

    /// Removes what is left of a build, and the build from its pointer document. Whoever is killed on the way has left it
    /// marked, and the next one goes on.
    public func drop(_ build: BuildID) async throws {
        _ = try await change(build.model) { $0.dropping(build) }
        guard try await pointer(to: build.model)?.build(build)?.state == .dropping else { return }
        CrashPoint.buildDropping.reached()
        try await remove(build)
        if try await change(build.model, { $0.without(build) }) != nil { CrashPoint.buildRemoved.reached() }
    }
}
