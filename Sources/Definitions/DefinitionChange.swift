import Models
import Values

/// What an edit of a model's file changes of the definition that its live build has.
public struct DefinitionChange: Hashable, Sendable {
    /// What of the fold part: the documents have to be rebuilt.
    public private(set) var fold: [String] = []
    /// What of the serve part, which is applied in place.
    public private(set) var serve: [String] = []

    /// Keys of a model that say how its documents are served, not what they are.
    static let serveKeys = ["indexes", "private", "source", "cache", "merge"]

    public var isEmpty: Bool { fold.isEmpty && serve.isEmpty }

    /// - Parameters:
    ///   - source: the definition as the build keeps it.
    ///   - versions: what it keeps of its stream's versions.
    ///   - foldHash: of the definition that the build was folded under.
    public init(from source: String, versions: String?, foldHash: String, to model: Model) {
        let (before, after) = (Self.members(of: source), Self.members(of: model.source))
        let changed = (before.map(\.name) + after.map(\.name).filter { name in !before.contains { $0.name == name } }).filter { name in
            before.first { $0.name == name }?.value != after.first { $0.name == name }?.value
        }
        serve = changed.filter(Self.serveKeys.contains)
        // The hash is the judge: another layout, or another order of event types, is no change.
        guard foldHash != model.foldHash else { return }
        guard !model.goesOn(with: foldHash) else {
            serve += ["onError"]
            return
        }
        fold = changed.filter { !Self.serveKeys.contains($0) && !["version", "model", "fold"].contains($0) }
        fold += eventTypes(before.first { $0.name == "fold" }?.value.asDocument, after.first { $0.name == "fold" }?.value.asDocument)
        let (stored, asked) = (Self.members(of: versions ?? "{}"), Self.members(of: model.versions ?? "{}"))
        for key in StreamVersions.keys {
            let change = eventTypes(stored.first { $0.name == key }?.value.asDocument, asked.first { $0.name == key }?.value.asDocument)
            fold += change.map { "\(key) of \($0)" }
        }
        // What only shows in the compiled fold: an earlier reader compiled the same text to something else.
        if fold.isEmpty { fold = ["fold"] }
    }

    private func eventTypes(_ before: Document?, _ after: Document?) -> [String] {
        let (before, after) = (before ?? Document(), after ?? Document())
        return before.fields.compactMap { field in
            guard let other = after[field.name] else { return "\(field.name) removed" }
            return other == field.value ? nil : "\(field.name) changed"
        } + after.fields.filter { before[$0.name] == nil }.map { "\($0.name) added" }
    }

    private static func members(of source: String) -> [(name: String, value: Value)] {
        YAMLReader.read(source, Findings(file: ""))?.members?.map { ($0.name, $0.value.value) } ?? []
    }
}

extension YAMLNode {
    /// What it says, without places.
    var value: Value {
        switch content {
        case .scalar(let scalar): scalar.value
        case .sequence(let nodes): .array(nodes.map(\.value))
        case .mapping(let members): .document(Document(members.map { Document.Field($0.name, $0.value.value) }))
        case .invalid: .null
        }
    }
}
