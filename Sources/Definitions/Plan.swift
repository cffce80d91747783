import Models

/// What the files ask for that is not live yet. Pure: what is live and what is logged are read by others.
public struct Plan: Sendable {
    /// By name, those that are gone at the end.
    public private(set) var entries: [Entry] = []

    /// A model's live build, as it is stored.
    public struct Live: Sendable {
        public var build: String
        public var stream: String
        public var source: String
        /// What it keeps of its stream's versions.
        public var versions: String?
        public var foldHash: String
        public var foldVersion: Int32

        public init(build: String, stream: String, source: String, versions: String? = nil, foldHash: String, foldVersion: Int32) {
            self.build = build
            self.stream = stream
            self.source = source
            self.versions = versions
            self.foldHash = foldHash
            self.foldVersion = foldVersion
        }
    }

    public struct Entry: Hashable, Sendable {
        public var model: String
        /// nil for a new model.
        public var build: String?
        public var state: State
        /// What changed of the fold part, and of the serve part.
        public var fold: [String] = []
        public var serve: [String] = []
        /// Events that the log holds for it; 0 where nothing has to be folded.
        public var eventsToFold: Int64 = 0
    }

    public enum State: String, Sendable {
        case new, changed, unchanged
        /// Its build is there, and no file defines it any more.
        case gone
    }

    /// Whether something is to be done. What is gone stays as it is until somebody removes it.
    public var isToDo: Bool { entries.contains { $0.state == .new || $0.state == .changed } }

    /// - Parameters:
    ///   - live: builds by model.
    ///   - logged: events that the log holds, by stream.
    public init(_ models: [Model], live: [String: Live], logged: [String: Int64]) {
        for model in models.sorted(by: { $0.name < $1.name }) {
            let events = logged[model.stream] ?? 0
            guard let build = live[model.name] else {
                entries.append(Entry(model: model.name, build: nil, state: .new, eventsToFold: events))
                continue
            }
            var entry = Entry(model: model.name, build: build.build, state: .unchanged)
            let change = DefinitionChange(from: build.source, versions: build.versions, foldHash: build.foldHash, to: model)
            entry.fold = change.fold
            entry.serve = change.serve
            if build.foldVersion != foldVersion { entry.fold.append("folded by version \(build.foldVersion), this binary carries \(foldVersion)") }
            if !change.isEmpty || !entry.fold.isEmpty { entry.state = .changed }
            if !entry.fold.isEmpty { entry.eventsToFold = events }
            entries.append(entry)
        }
        for (name, build) in live.sorted(by: { $0.key < $1.key }) where !models.contains(where: { $0.name == name }) {
            entries.append(Entry(model: name, build: build.build, state: .gone))
        }
    }
}
