import Events
import Values

/// `$upsert`: the element of an array that has certain fields is changed, or added where there is none.
struct Upsert: Action {
    /// `where`: the fields that an element is known by, and that a new one begins with.
    let identity: [Expression.Member]
    /// `set`: what is done to the element, along paths of its own.
    let operators: [Operator]
    /// `sort`: the order in which the elements then stand.
    let order: ElementOrder?
    private let element: PathNode.Members

    /// Throws where the operators conflict.
    init(_ path: FieldPath, where identity: [Expression.Member], set operators: [Operator], sort order: ElementOrder?) throws(Refusal) {
        self.identity = identity
        self.operators = operators
        self.order = order
        element = try PathNode.Members.tree(operators, [], below: path.names + [Self.placeholder])
    }

    /// What an element's paths are called by in messages.
    private static let placeholder = "$[]"

    var name: String { "$upsert" }
    var purpose: PathPurpose { .create }

    var operand: Operand {
        let identity = identity.map { Operand.Named($0.name, .expression($0.value)) }
        var parts = [Operand.Named("where", .named(identity)), Operand.Named("set", .list(operators.map(\.identity)))]
        if let order { parts.append(Operand.Named("sort", order.operand)) }
        return .named(parts)
    }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        var wanted = Document()
        for member in identity { wanted.append(member.name, try evaluate(member.value, site, context, below: 2)) }
        var elements: [Value]
        switch target {
        case nil: elements = []
        case .array(let found)?: elements = found
        case let other?: throw refusal(other, not: "an array", site)
        }
        var changed = false
        if let place = elements.firstIndex(where: { Self.has(wanted, $0) }), case .document(var fields) = elements[place] {
            changed = try element.apply(to: &fields, context)
            elements[place] = .document(fields)
        } else {
            var fields = wanted
            _ = try element.apply(to: &fields, context)
            elements.append(.document(fields))
            try checkLength(of: elements, site)
            changed = true
        }
        if let order, order.sort(&elements) { changed = true }
        if changed { target = .array(elements) }
        return changed
    }

    /// Whether an element has fields of these values, by MongoDB's equality.
    private static func has(_ wanted: Document, _ element: Value) -> Bool {
        guard case .document(let fields) = element else { return false }
        return wanted.fields.allSatisfy { field in fields[field.name].map { Value.order($0, field.value) == 0 } ?? false }
    }
}

extension Operator {
    /// Throws where what is set conflicts.
    public static func upsert(
        _ path: FieldPath, where identity: [Expression.Member], set operators: [Operator], sort order: ElementOrder? = nil
    ) throws(Refusal) -> Operator {
        Operator(path, try Upsert(path, where: identity, set: operators, sort: order))
    }

    /// Name, path and operand as one operand.
    var identity: Operand {
        .named([
            Operand.Named("operator", .literal(.init(.string(name)))), Operand.Named("path", .list(path.names.map { .literal(.init(.string($0))) })),
            Operand.Named("operand", operand),
        ])
    }
}
