import Events
import Models
import Projector
import Values

/// A pointer document as it is stored: `{_id: model, format, revision, live, switch, last, builds: [{build, state, until, stream,
/// source, versions, foldHash, foldVersion, expires, loaded, created}]}`; `switch` is null or `{id, target, keep}`, `until` is there where
/// a build is kept, and `loaded` where one was loaded.
enum PointerDocument {
    static func encode(_ pointer: ModelPointer) -> Document {
        [
            "format": .int32(pointer.builds.contains { $0.build.loaded != nil } ? StoredFormat.loaded : StoredFormat.current),
            "revision": .int64(pointer.revision), "live": .string(pointer.live.description),
            "switch": pointer.entry.map { ["id": .string($0.id), "target": .string($0.target.description), "keep": .int64($0.keep)] } ?? .null,
            "last": .int32(Int32(pointer.lastNumber)), "builds": .array(pointer.builds.map { .document(encode($0)) }),
        ]
    }

    private static func encode(_ kept: KeptBuild) -> Document {
        let build = kept.build
        var entry: Document = ["build": .string(build.id.description)]
        switch kept.state {
        case .building: entry.append("state", "building")
        case .live: entry.append("state", "live")
        case .dropping: entry.append("state", "dropping")
        case .kept(let until):
            entry.append("state", "kept")
            entry.append("until", .date(until))
        }
        let definition: Document = [
            "stream": .string(build.stream), "source": .string(build.source), "versions": build.versions.map(Value.string) ?? .null,
            "foldHash": .string(build.foldHash), "foldVersion": .int32(build.foldVersion), "expires": .bool(build.expires), "created": .date(kept.made),
        ]
        entry.fields += definition.fields
        if let loaded = build.loaded { entry.append("loaded", .array(loaded.map(Value.int64))) }
        return entry
    }

    /// Finds the document that a change was computed from. The first ones had no revision.
    static func filter(_ pointer: ModelPointer) -> Document {
        ["_id": .string(pointer.model), "revision": pointer.revision == 0 ? ["$in": [.null, .int64(0)]] : .int64(pointer.revision)]
    }

    static func decode(_ stored: Document) throws(Refusal) -> ModelPointer {
        let model = stored["_id"]?.asString ?? "a model"
        try StoredFormat.check(stored, "the definition of \(model)", upTo: StoredFormat.loaded)
        guard let live = stored["live"]?.asString.flatMap(BuildID.init) else { throw damaged(model) }
        var builds: [KeptBuild] = []
        for entry in stored["builds"]?.asArray?.compactMap(\.asDocument) ?? [] {
            guard let build = build(entry) else { throw damaged(model) }
            // The pointer says which is live, whatever else is said.
            let state = build.id == live ? .live : try state(entry, model)
            builds.append(KeptBuild(build, state, made: entry["created"]?.asDate ?? 0))
        }
        var entry: SwitchEntry?
        if let stored = stored["switch"]?.asDocument {
            guard let id = stored["id"]?.asString, let target = stored["target"]?.asString.flatMap(BuildID.init), let keep = stored["keep"]?.asInteger
            else { throw damaged(model) }
            entry = SwitchEntry(id: id, target: target, keep: keep)
        }
        let pointer = ModelPointer(
            model: model, revision: stored["revision"]?.asInteger ?? 0, live: live, entry: entry, builds: builds,
            lastNumber: stored["last"]?.asInteger.map { Int($0) })
        guard pointer.liveBuild != nil else { throw damaged(model) }
        return pointer
    }

    private static func state(_ entry: Document, _ model: String) throws(Refusal) -> KeptBuild.State {
        switch entry["state"]?.asString {
        case "building": return .building
        case "dropping": return .dropping
        // One that only lost the pointer, which somebody has changed by hand, is kept until he says more.
        case "kept", "live", nil: return .kept(until: entry["until"]?.asDate ?? .max)
        case let other?: throw Refusal(.newerFormat, "a build of \(model) is \(other), which this binary does not know: use the newer Millrace that wrote it")
        }
    }

    private static func build(_ entry: Document) -> StoredBuild? {
        guard let id = entry["build"]?.asString.flatMap(BuildID.init), let stream = entry["stream"]?.asString, let source = entry["source"]?.asString,
            let foldHash = entry["foldHash"]?.asString, let version = entry["foldVersion"]?.asInteger
        else { return nil }
        return StoredBuild(
            id: id, stream: stream, source: source, versions: entry["versions"]?.asString, foldHash: foldHash, foldVersion: Int32(clamping: version),
            expires: entry["expires"] == true, loaded: entry["loaded"]?.asArray?.compactMap(\.asInteger))
    }

    private static func damaged(_ model: String) -> Refusal {
        Refusal(.logDamaged, "the definition of \(model) in millrace.definitions lacks its live build, or says of a build or a switch what cannot be read")
    }
}
