import Events
import Values

/// `$rename`: its path is the target. The source is taken before any path is followed, so that no other operator of the
/// effect can put something there first.
struct Rename: Action {
    var source: FieldPath

    var name: String { "$rename" }
    var operand: Operand { .named([Operand.Named("from", .list(source.names.map { .literal(.init(.string($0))) }))]) }
    var purpose: PathPurpose { .create }

    func isIdle(_ site: Site, _ context: Context) -> Bool { context.lookups?.taken[site.number] == nil }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        guard let value = context.lookups?.taken[site.number] else { return false }
        guard site.path.names.count + value.depth <= BSON.maximumDepth else {
            throw Refusal(.documentTooDeep, "\(site.path) would be nested deeper than \(BSON.maximumDepth) levels")
        }
        target = value
        return true
    }

    /// Removes the value from its document, if it is there. Elements of arrays have no names that could be changed.
    static func take(_ source: FieldPath, from document: inout Document) throws(Refusal) -> Value? {
        try take(source.names[...], of: source, from: &document)
    }

    private static func take(_ names: ArraySlice<String>, of source: FieldPath, from document: inout Document) throws(Refusal) -> Value? {
        guard let name = names.first, let index = document.index(of: name) else { return nil }
        let rest = names.dropFirst()
        if rest.isEmpty { return document.fields.remove(at: index).value }
        guard case .document(var inner) = document.fields[index].value else {
            try refuse(rest, of: source, below: document.fields[index].value)
            return nil
        }
        document.fields[index].value = .null
        defer { document.fields[index].value = .document(inner) }
        return try take(rest, of: source, from: &inner)
    }

    /// Refuses a source that is there, or could not be, below a value that is no document.
    private static func refuse(_ names: ArraySlice<String>, of source: FieldPath, below value: Value) throws(Refusal) {
        guard let name = names.first else { throw Refusal(.badPath, "$rename: the source \(source) lies in an array") }
        switch value {
        case .document(let document): if let value = document[name] { try refuse(names.dropFirst(), of: source, below: value) }
        case .array(let elements):
            guard let index = FieldPath.index(name) else { throw Refusal(.badPath, "$rename: \(source) leads into an array, which has no member \(name)") }
            if elements.indices.contains(index) { try refuse(names.dropFirst(), of: source, below: elements[index]) }
        default: throw Refusal(.badPath, "$rename: \(source) leads into a value of type \(value.typeName), which has no member \(name)")
        }
    }
}

extension Operator {
    public static func rename(_ source: FieldPath, to target: FieldPath) -> Operator { Operator(target, Rename(source: source)) }
}
