import Events
import Synchronization
import Values

extension PathNode {
    /// Follows the paths below a value, and says whether an operator changed something. What throws leaves behind what
    /// was done before it.
    fileprivate func apply(to value: inout Value?, _ context: Context) throws(Refusal) -> Bool {
        switch self {
        case .operation(let operation): try operation.action.apply(to: &value, operation.site, context)
        case .members(let members): try members.apply(to: &value, context)
        case .elements(let elements): try elements.apply(to: &value, context)
        }
    }

    /// Refuses what stands in the way of the paths, unless nobody minds. A placeholder always minds: its array must be
    /// there.
    fileprivate func meet(_ obstacle: Value, _ name: String, _ context: Context) throws(Refusal) {
        switch self {
        case .operation(let operation):
            guard operation.action.purpose != .remove, !operation.action.isIdle(operation.site, context) else { return }
            throw Refusal(.badPath, "\(operation.site.path): a value of type \(obstacle.typeName) has no member \(name)")
        case .members(let members): for member in members.list { try member.node.meet(obstacle, name, context) }
        case .elements(let elements): throw elements.refusal(obstacle)
        }
    }
}

extension PathNode.Member {
    fileprivate func apply(to document: inout Document, _ context: Context) throws(Refusal) -> Bool {
        guard let index = place(in: document) else {
            var value: Value?
            let isChanged = try node.apply(to: &value, context)
            if let value { document.append(name, value) }
            return isChanged
        }
        // Taken out, the value is referenced once, and changing it copies nothing.
        var value: Value? = exchange(&document.fields[index].value, with: .null)
        defer {
            if let value { document.fields[index].value = value } else { document.fields.remove(at: index) }
        }
        return try node.apply(to: &value, context)
    }

    private func place(in document: Document) -> Int? {
        let last = lastPlace.load(ordering: .relaxed)
        if last < document.fields.count, document.fields[last].name.utf8Equal(name) { return last }
        guard let place = document.index(of: name) else { return nil }
        lastPlace.store(place, ordering: .relaxed)
        return place
    }
}

extension PathNode.Members {
    func apply(to document: inout Document, _ context: Context) throws(Refusal) -> Bool {
        var isChanged = try first?.apply(to: &document, context) ?? false
        for member in list.dropFirst() where try member.apply(to: &document, context) { isChanged = true }
        return isChanged
    }

    fileprivate func apply(to value: inout Value?, _ context: Context) throws(Refusal) -> Bool {
        switch value {
        case .document(var document)?:
            value = .null
            defer { value = .document(document) }
            return try apply(to: &document, context)
        case nil:
            // Only who adds something makes its parents.
            var document = Document()
            let changed = try apply(to: &document, context)
            if !document.isEmpty { value = .document(document) }
            return changed
        case .array(var elements)?:
            if hasRename { try refuseRename(context) }
            value = .null
            defer { value = .array(elements) }
            return try apply(to: &elements, context)
        case let scalar?:
            for member in list { try member.node.meet(scalar, member.name, context) }
            return false
        }
    }

    private func apply(to elements: inout [Value], _ context: Context) throws(Refusal) -> Bool {
        var changed = false
        for place in ascending {
            let member = list[place]
            guard let index = member.index else {
                try member.node.meet(.array([]), member.name, context)
                continue
            }
            if index < elements.count {
                var element: Value? = exchange(&elements[index], with: .null)
                // An element that is removed leaves a null behind, so that the others keep their places.
                defer { elements[index] = element ?? .null }
                if try member.node.apply(to: &element, context) { changed = true }
            } else {
                var element: Value?
                if try member.node.apply(to: &element, context) { changed = true }
                guard let element else { continue }
                guard index - elements.count <= FieldPath.maximumPadding else {
                    throw Refusal(.badPath, "index \(index) is too far beyond the end of an array of \(elements.count)")
                }
                elements.append(contentsOf: repeatElement(.null, count: index - elements.count))
                elements.append(element)
            }
        }
        return changed
    }

    private func refuseRename(_ context: Context) throws(Refusal) {
        for operation in operations where operation.action is Rename && !operation.action.isIdle(operation.site, context) {
            throw Refusal(.badPath, "$rename: the path \(operation.site.path) leads into an array")
        }
    }
}

extension PathNode.Elements {
    fileprivate func apply(to value: inout Value?, _ context: Context) throws(Refusal) -> Bool {
        guard case .array(var elements)? = value else { throw refusal(value) }
        value = .null
        defer { value = .array(elements) }
        var changed = false
        for index in elements.indices {
            guard let node = try node(for: elements[index], context) else { continue }
            var element: Value? = exchange(&elements[index], with: .null)
            defer { elements[index] = element ?? .null }
            if try node.apply(to: &element, context) { changed = true }
        }
        return changed
    }

    /// What is to be done with an element, by all the placeholders that stand for it.
    private func node(for element: Value, _ context: Context) throws(Refusal) -> PathNode? {
        var node: PathNode?
        for part in parts where part.filter.map({ context.lookups?.filters[$0].finds(element) ?? false }) ?? true {
            node = try node.map { (node) throws(Refusal) in try PathNode.merge(node, part.node) } ?? part.node
        }
        return node
    }

    fileprivate func refusal(_ found: Value?) -> Refusal {
        let path = parts.first?.node.operations.first?.site.path.description ?? ""
        return Refusal(.badPath, "\(path): a placeholder needs an array, and found \(found.map { "a value of type \($0.typeName)" } ?? "nothing")")
    }
}
