import Values

extension Pair {
    /// How the answer differs from the verdict, or nil.
    func difference(_ answer: Answer, _ verdict: Judge.Verdict) -> String? {
        switch (answer, verdict) {
        case (.parked, .refused), (.unreadable, .refused): return nil
        case (.parked(let problem), .accepted(let after)): return "parked as \(problem), where mongod makes \(text(after))"
        case (.unreadable(let message), .accepted(let after)): return "check says \(message), where mongod makes \(text(after))"
        case (.folded(let document, _), .refused(let reason)): return "folded to \(text(document)), where mongod says: \(reason)"
        case (.folded(let document, let changed), .accepted(let after)):
            let wanted = AddedFields.sorted(after, before: before, paths: paths)
            guard let found = document.map({ AddedFields.sorted($0, before: before, paths: paths) }), found == wanted else {
                return "folded to \(text(document)), where mongod makes \(text(after))"
            }
            // What is said to be unchanged keeps its position.
            return changed || document == before ? nil : "said to be unchanged, and is \(text(document))"
        }
    }

    private var paths: [String] {
        effect.fields.flatMap { op -> [String] in
            let members = op.value.asDocument?.fields ?? []
            return op.name == Verb.rename.rawValue ? members.compactMap(\.value.asString) : members.map(\.name)
        }
    }

    private func text(_ document: Document?) -> String { document.map { "\(JSON.write(.document($0))) \(types(.document($0)))" } ?? "nothing" }

    /// The types of numbers, which JSON does not tell apart.
    private func types(_ value: Value) -> String {
        switch value {
        case .document(let document): "{" + document.fields.map { types($0.value) }.joined(separator: ",") + "}"
        case .array(let values): "[" + values.map(types).joined(separator: ",") + "]"
        default: value.typeName
        }
    }
}
