import Values

/// `$sort` of `$push`: by the elements themselves or by fields of theirs, in MongoDB's order of all values. Elements that
/// are equal keep their places.
public enum ElementOrder: Hashable, Sendable {
    case whole(Direction)
    case fields([Field])

    public enum Direction: Int32, Hashable, Sendable {
        case ascending = 1
        case descending = -1
    }

    public struct Field: Hashable, Sendable {
        /// Names, and indexes of arrays.
        public var path: FieldPath
        public var direction: Direction

        public init(_ path: FieldPath, _ direction: Direction) {
            self.path = path
            self.direction = direction
        }
    }

    /// Says whether an element moved.
    func sort(_ array: inout [Value]) -> Bool {
        switch self {
        case .whole(let direction): return Self.sort(&array) { direction.rawValue * Int32(Value.order($0, $1)) }
        case .fields(let fields):
            var keyed = array.map { element in (element: element, keys: fields.map { element.sortKey($0.path.names[...]) }) }
            let moved = Self.sort(&keyed) { left, right in
                for (place, field) in fields.enumerated() {
                    let order = Value.order(left.keys[place], right.keys[place])
                    if order != 0 { return field.direction.rawValue * Int32(order) }
                }
                return 0
            }
            if moved { array = keyed.map(\.element) }
            return moved
        }
    }

    private static func sort<Element>(_ elements: inout [Element], _ order: (Element, Element) -> Int32) -> Bool {
        if zip(elements, elements.dropFirst()).allSatisfy({ order($0, $1) <= 0 }) { return false }
        // Swift does not promise that its sort keeps equal elements in their places.
        elements = elements.enumerated().sorted { left, right in
            let order = order(left.element, right.element)
            return order != 0 ? order < 0 : left.offset < right.offset
        }.map(\.element)
        return true
    }

    var operand: Operand {
        switch self {
        case .whole(let direction): direction.operand
        case .fields(let fields):
            .list(
                fields.map { field in
                    .named([Operand.Named("path", .literal(.init(.string(field.path.description)))), Operand.Named("direction", field.direction.operand)])
                })
        }
    }
}

extension ElementOrder.Direction {
    fileprivate var operand: Operand { .literal(.init(.int32(rawValue))) }
}

extension Value {
    /// What an element is sorted by: only documents have fields, and what is missing is null.
    fileprivate func sortKey(_ path: ArraySlice<String>) -> Value {
        guard case .document(let document) = self else { return .null }
        var found: Value? = .document(document)
        for name in path {
            switch found {
            case .document(let document)?: found = document[name]
            case .array(let elements)?: found = FieldPath.index(name).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
            default: return .null
            }
        }
        return found ?? .null
    }
}
