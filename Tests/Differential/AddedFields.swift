import Values

/// The one thing in which a fold may differ from mongod: fields that one update adds to a document come in the order in
/// which it names them, and from mongod in the order of their names.
enum AddedFields {
    /// The document with the fields that the paths added to it put into the order of their names. Nothing else moves:
    /// neither what was there before, nor what a value brought along.
    static func sorted(_ document: Document, before: Document?, paths: [String]) -> Document {
        sorted(document, before, paths.map { $0.split(separator: ".")[...] })
    }

    private typealias Path = ArraySlice<Substring>

    private static func sorted(_ document: Document, _ before: Document?, _ paths: [Path]) -> Document {
        var fields = document.fields.map { field in
            Document.Field(field.name, sorted(field.value, before?[field.name], below(paths) { $0 == field.name[...] }))
        }
        // What was added stands at the end.
        let added = fields.reversed().prefix { field in before?[field.name] == nil && paths.contains { $0.first == field.name[...] } }.count
        fields[(fields.count - added)...].sort { $0.name < $1.name }
        return Document(fields)
    }

    private static func sorted(_ value: Value, _ before: Value?, _ paths: [Path]) -> Value {
        // Where a path ends, everything below comes from a value.
        guard !paths.isEmpty, !paths.contains(where: \.isEmpty) else { return value }
        switch value {
        case .document(let document): return .document(sorted(document, before?.asDocument, paths))
        case .array(let elements):
            let earlier = before?.asArray ?? []
            return .array(
                elements.enumerated().map { index, element in
                    let below = below(paths) { $0.hasPrefix("$") || Int($0) == index }
                    return sorted(element, earlier.indices.contains(index) ? earlier[index] : nil, below)
                })
        default: return value
        }
    }

    private static func below(_ paths: [Path], _ leadsThrough: (Substring) -> Bool) -> [Path] {
        paths.filter { $0.first.map(leadsThrough) ?? false }.map { $0.dropFirst() }
    }
}
