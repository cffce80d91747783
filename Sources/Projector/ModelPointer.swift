import Models

/// A model's builds and which of them readers see: what its document in `millrace.definitions`, the pointer document, says.
///
/// Each change is computed here, and stored by compare-and-set on the revision: so it is made once, by whoever comes first,
/// and on nothing but what it was computed from.
public struct ModelPointer: Hashable, Sendable {
    public var model: String
    /// Rises with every change.
    public var revision: Int64
    public var live: BuildID
    /// The switch that is under way.
    public var entry: SwitchEntry?
    public var builds: [KeptBuild]
    /// The highest number that a build has had: none is given twice, since a worker that was frozen may still write to the
    /// build it knew.
    public var lastNumber: Int

    public init(
        model: String, revision: Int64 = 0, live: BuildID, entry: SwitchEntry? = nil, builds: [KeptBuild], lastNumber: Int? = nil
    ) {
        self.model = model
        self.revision = revision
        self.live = live
        self.entry = entry
        self.builds = builds
        self.lastNumber = lastNumber ?? builds.map(\.build.id.number).max() ?? 0
    }

    /// A new model's: its first build is live from the beginning.
    public init(_ model: Model, at time: Int64) {
        let first = StoredBuild(BuildID(model: model.name, number: 1), of: model)
        self.init(model: model.name, live: first.id, builds: [KeptBuild(first, .live, made: time)])
    }

    public func build(_ id: BuildID) -> KeptBuild? { builds.first { $0.build.id == id } }

    /// The build that readers see.
    public var liveBuild: StoredBuild? { build(live)?.build }

    /// The builds that whoever drains takes the log into, the live one first.
    public var projected: [StoredBuild] {
        builds.filter { $0.state == .live }.map(\.build) + builds.filter { $0.state.isKept }.map(\.build)
    }
}

/// A switch that is under way: readers go over to another build.
public struct SwitchEntry: Hashable, Sendable {
    public var id: String
    public var target: BuildID
    /// How long the build that is left is kept, in milliseconds.
    public var keep: Int64

    public init(id: String, target: BuildID, keep: Int64) {
        self.id = id
        self.target = target
        self.keep = keep
    }
}

/// A build that is there, and what for.
public struct KeptBuild: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        /// A rebuild folds it, or did until it was killed.
        case building
        case live
        /// Readers have left it. It is projected on, so that they can be sent back to it: by MongoDB's clock, milliseconds since 1970.
        case kept(until: Int64)
        /// What belongs to it is being removed. Its checkpoints cannot be made again.
        case dropping

        public var isKept: Bool { if case .kept = self { true } else { false } }
    }

    public var build: StoredBuild
    public var state: State
    /// When it was made: milliseconds since 1970.
    public var made: Int64

    public init(_ build: StoredBuild, _ state: State, made: Int64) {
        self.build = build
        self.state = state
        self.made = made
    }
}

// Changes. Each is nil where it cannot be made any more.
extension ModelPointer {
    private func changed(_ body: (inout ModelPointer) -> Void) -> ModelPointer {
        var changed = self
        body(&changed)
        changed.revision += 1
        return changed
    }

    private mutating func set(_ id: BuildID, _ state: KeptBuild.State) {
        if let place = builds.firstIndex(where: { $0.build.id == id }) { builds[place].state = state }
    }

    /// With a new build of a definition, which a rebuild is to fold.
    ///
    /// - Parameter loaded: where its history begins in each partition, if it is to be loaded.
    public func adding(_ model: Model, loaded: [Int64]? = nil, at time: Int64) -> (pointer: ModelPointer, build: StoredBuild) {
        let build = StoredBuild(BuildID(model: self.model, number: lastNumber + 1), of: model, loaded: loaded)
        let pointer = changed { pointer in
            pointer.builds.append(KeptBuild(build, .building, made: time))
            pointer.lastNumber = build.id.number
        }
        return (pointer, build)
    }

    /// With what of an edited definition needs no rebuild.
    public func editing(_ build: StoredBuild) -> ModelPointer? {
        guard let place = builds.firstIndex(where: { $0.build.id == build.id }), builds[place].build != build else { return nil }
        return changed { $0.builds[place].build = build }
    }

    /// With a switch entered: one at a time, and to a build that is there.
    public func entering(_ entry: SwitchEntry) -> ModelPointer? {
        guard self.entry == nil, entry.target != live, let target = build(entry.target), target.state == .building || target.state.isKept else { return nil }
        return changed { $0.entry = entry }
    }

    /// The build that readers left last, of those that are kept.
    public var lastLeft: StoredBuild? { builds.last { $0.state.isKept }?.build }

    /// With readers on the switch's target.
    public func moved(_ id: String, at time: Int64) -> ModelPointer? {
        guard let entry, entry.id == id, live != entry.target else { return nil }
        return changed { pointer in
            pointer.set(live, .kept(until: time + entry.keep))
            pointer.set(entry.target, .live)
            // The one that was left last is the last of them.
            if let place = builds.firstIndex(where: { $0.build.id == live }) { pointer.builds.append(pointer.builds.remove(at: place)) }
            pointer.live = entry.target
        }
    }

    /// Without the switch, which is done.
    public func closed(_ id: String) -> ModelPointer? {
        guard let entry, entry.id == id, live == entry.target else { return nil }
        return changed { $0.entry = nil }
    }

    /// Without the switch, which has not been made and will not be.
    public func struckOut(_ id: String) -> ModelPointer? {
        guard let entry, entry.id == id, live != entry.target else { return nil }
        return changed { $0.entry = nil }
    }

    /// With a build to be removed that nobody reads or goes to.
    public func dropping(_ id: BuildID) -> ModelPointer? {
        guard id != live, id != entry?.target, let build = build(id), build.state != .dropping else { return nil }
        return changed { $0.set(id, .dropping) }
    }

    /// Without a build that is removed.
    public func without(_ id: BuildID) -> ModelPointer? {
        guard build(id)?.state == .dropping else { return nil }
        return changed { $0.builds.removeAll { $0.build.id == id } }
    }

    /// Kept builds whose time is over, and those that somebody began to remove. One that a switch has just left is not
    /// removed before the switch is closed, so that whoever goes on with it finds what it froze.
    public func droppable(at time: Int64) -> [BuildID] {
        guard entry == nil else { return [] }
        return builds.filter { build in
            switch build.state {
            case .dropping: true
            case .kept(let until): until <= time
            case .building, .live: false
            }
        }.map(\.build.id)
    }
}

/// What a projector that finds a checkpoint frozen makes of it.
public enum FreezeMeaning: Hashable, Sendable {
    /// A switch is under way: wait.
    case underWay
    /// The switch is over, or was struck out: lift the freeze.
    case left
    /// The build is not there any more, or is being removed.
    case gone
}

extension ModelPointer {
    /// The pointer must have been read after the checkpoint: an entry that is not there then is there no more.
    public func meaning(ofFreeze id: String, on build: BuildID) -> FreezeMeaning {
        if entry?.id == id { return .underWay }
        guard let kept = self.build(build), kept.state != .dropping else { return .gone }
        return .left
    }
}
