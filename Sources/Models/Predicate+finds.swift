import Values

extension Predicate<Value> {
    /// Whether an element passes. As in a query, a test of an array is passed by the array or by one of its elements.
    func finds(_ element: Value) -> Bool { finds(element, intoArrays: true) }

    fileprivate func finds(_ element: Value, intoArrays: Bool) -> Bool {
        switch self {
        case .member(let path, let test): path.isEmpty && !intoArrays ? test.passes(element) : element.anything(at: path[...], passes: test)
        case .all(let parts): parts.allSatisfy { $0.finds(element, intoArrays: intoArrays) }
        case .any(let parts): parts.contains { $0.finds(element, intoArrays: intoArrays) }
        case .not(let part): !part.finds(element, intoArrays: intoArrays)
        }
    }

    /// That a document has these members. Dots in their names lead into it.
    static func members(_ document: Document) -> Self {
        .all(
            document.fields.map { field in
                .member(field.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init), .compares(.equal, field.value))
            })
    }
}

extension Test<Value> {
    /// Whether a value passes, or what is missing does.
    fileprivate func passes(_ value: Value?) -> Bool {
        switch self {
        case .compares(let comparison, let wanted): comparison.holds(value, wanted)
        case .isIn(let list): list.asArray?.contains { Comparison.equal.holds(value, $0) } ?? false
        case .exists: value != nil
        case .hasElement(let predicate): value?.asArray?.contains { predicate.finds($0, intoArrays: false) } ?? false
        case .hasDocument(let predicate): value?.asArray?.contains { $0.asMembers.map { predicate.finds(.document($0)) } ?? false } ?? false
        }
    }

    /// Whether it asks for an array as a whole, and not for one of its elements.
    fileprivate var isForArrays: Bool {
        switch self {
        case .hasElement, .hasDocument: true
        case .compares, .isIn, .exists: false
        }
    }
}

extension Comparison {
    /// What is missing is null.
    fileprivate func holds(_ value: Value?, _ wanted: Value) -> Bool {
        let value = value ?? .null
        guard value.hasType(of: wanted) else { return false }
        if value.isNaN || wanted.isNaN { return value.isNaN && wanted.isNaN && self != .less && self != .greater }
        let order = Value.order(value, wanted)
        return switch self {
        case .equal: order == 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

extension Value {
    /// Whether something that a query finds at a path passes: the value there or, if that is an array, one of its
    /// elements. A name is looked for in each element of an array that is a document.
    fileprivate func anything(at path: ArraySlice<String>, passes test: Test<Value>) -> Bool {
        guard let name = path.first else {
            if !test.isForArrays, case .array(let elements) = self, elements.contains(where: test.passes) { return true }
            return test.passes(self)
        }
        switch self {
        case .document(let document): return document[name].map { $0.anything(at: path.dropFirst(), passes: test) } ?? test.passes(nil)
        case .array(let elements):
            if elements.contains(where: { $0.asDocument != nil && $0.anything(at: path, passes: test) }) { return true }
            guard let index = FieldPath.index(name), String(index) == name, elements.indices.contains(index) else { return false }
            // What an index leads to is looked at whole, and where a path goes on, nothing is found in a scalar.
            if path.count == 1 { return test.passes(elements[index]) }
            return elements[index].asMembers != nil && elements[index].anything(at: path.dropFirst(), passes: test)
        default: return test.passes(nil)
        }
    }

    /// The members of a document, or of an array, whose names are the indexes.
    fileprivate var asMembers: Document? {
        switch self {
        case .document(let document): document
        case .array(let elements): Document(elements.enumerated().map { Document.Field(String($0.offset), $0.element) })
        default: nil
        }
    }

    fileprivate var isNaN: Bool {
        switch self {
        case .double(let number): number.isNaN
        case .decimal(let number): number.isNaN
        default: false
        }
    }
}
