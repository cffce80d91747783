import Events
import Synchronization
import Values

/// Where the operators of one effect lead: their paths as one tree, so that what they share is followed once.
///
/// It is a tree, and not a list, because that is how MongoDB applies an update, and it shows: an array is filled in the
/// order of its indexes, a filter sees every element as it was before the effect, and two placeholders that meet in one
/// element must not change the same thing there.
enum PathNode: Sendable {
    case operation(Operation)
    case members(Members)
    case elements(Elements)

    // Classes, as the plan is one.

    final class Operation: Sendable {
        let action: any Action
        let site: Site

        init(_ action: any Action, _ site: Site) {
            self.action = action
            self.site = site
        }
    }

    /// Members of a document, or single elements of an array.
    final class Members: Sendable {
        /// In the order in which the effect names what it adds.
        let list: [Member]
        /// Mostly the only one: what is taken out of an array is counted up and down.
        let first: Member?
        /// Places in `list`, by index, for an array.
        let ascending: [Int]
        /// Whether a `$rename` leads through here: its path must not meet an array.
        let hasRename: Bool

        init(_ list: [Member]) {
            let list = list.sorted { $0.node.order < $1.node.order }
            self.list = list
            first = list.first
            ascending = list.indices.sorted { (list[$0].index ?? -1, $0) < (list[$1].index ?? -1, $1) }
            hasRename = list.contains { $0.node.hasRename }
        }
    }

    final class Member: Sendable {
        let name: String
        /// What the name means to an array.
        let index: Int?
        let node: PathNode
        /// Where the name stood in the last document: those of a model mostly have the same order. Only a guess, which
        /// needs no order among threads.
        let lastPlace = Atomic<Int>(0)

        init(_ name: String, _ node: PathNode) {
            self.name = name
            index = FieldPath.index(name)
            self.node = node
        }
    }

    /// Elements of an array that are found by what they are.
    struct Elements: Sendable {
        var parts: [Part]
    }

    struct Part: Sendable {
        /// The filter's place in the effect; nil for every element.
        var filter: Int?
        var node: PathNode
    }

    /// The place in the effect of the first operator that adds something here.
    private var order: Int {
        switch self {
        case .operation(let operation): operation.action.purpose == .create ? operation.site.number : .max
        case .members(let members): members.list.first?.node.order ?? .max
        // Where the array is missing, the effect is refused.
        case .elements: .max
        }
    }

    private var hasRename: Bool {
        switch self {
        case .operation(let operation): operation.action is Rename
        case .members(let members): members.hasRename
        case .elements(let elements): elements.parts.contains { $0.node.hasRename }
        }
    }

    var operations: [Operation] {
        switch self {
        case .operation(let operation): [operation]
        case .members(let members): members.operations
        case .elements(let elements): elements.parts.flatMap(\.node.operations)
        }
    }
}

extension PathNode.Members {
    /// The tree of an effect. Throws where its operators conflict, or a filter is not there.
    ///
    /// - Parameter prefix: the way to the document, where it is one within another.
    static func tree(_ operators: [Operator], _ filters: [ArrayFilter], below prefix: [String] = []) throws(Refusal) -> PathNode.Members {
        var root = PathNode.Members([])
        for (number, op) in operators.enumerated() {
            var node = PathNode.operation(
                PathNode.Operation(op.action, Site(path: prefix.isEmpty ? op.path : FieldPath(prefix + op.path.names), number: number)))
            for (place, part) in op.path.names.enumerated().reversed() {
                guard let name = op.path.placeholder(at: place) else {
                    node = .members(PathNode.Members([PathNode.Member(part, node)]))
                    continue
                }
                let filter = filters.firstIndex { $0.name == name }
                guard name.isEmpty || filter != nil else { throw Refusal(.badPath, "\(op.path): there is no array filter \(name)") }
                node = .elements(PathNode.Elements(parts: [PathNode.Part(filter: name.isEmpty ? nil : filter, node: node)]))
            }
            guard case .members(let path) = node else { throw Refusal(.badPath, "\(op.path) does not begin with a name") }
            root = try merge(root, path)
        }
        return root
    }

    var operations: [PathNode.Operation] { list.flatMap(\.node.operations) }

    fileprivate static func merge(_ left: PathNode.Members, _ right: PathNode.Members) throws(Refusal) -> PathNode.Members {
        var list = left.list
        for member in right.list {
            if let place = list.firstIndex(where: { $0.name.utf8Equal(member.name) }) {
                list[place] = PathNode.Member(member.name, try PathNode.merge(list[place].node, member.node))
            } else if let index = member.index, list.contains(where: { $0.index == index }) {
                throw PathNode.conflict(.members(left), .members(right))
            } else {
                list.append(member)
            }
        }
        return PathNode.Members(list)
    }
}

extension PathNode {
    /// What two trees do together. Throws where both change the same thing, or one takes for a document what the other
    /// takes for an array.
    static func merge(_ left: PathNode, _ right: PathNode) throws(Refusal) -> PathNode {
        switch (left, right) {
        case (.members(let left), .members(let right)): return .members(try Members.merge(left, right))
        case (.elements(let left), .elements(let right)):
            var parts = left.parts
            for part in right.parts {
                if let place = parts.firstIndex(where: { $0.filter == part.filter }) {
                    parts[place].node = try merge(parts[place].node, part.node)
                } else {
                    parts.append(part)
                }
            }
            return .elements(Elements(parts: parts))
        default: throw conflict(left, right)
        }
    }

    fileprivate static func conflict(_ left: PathNode, _ right: PathNode) -> Refusal {
        let paths = [left, right].compactMap { $0.operations.first?.site.path.description }
        return Refusal(.pathConflict, "\(paths.joined(separator: " and ")) of one effect conflict")
    }
}
