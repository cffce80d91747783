import Events
import Values

/// `$push`: adds elements at a position, then sorts the array, then cuts it.
struct Push: Action {
    var elements: Operator.Elements
    var position: Expression?
    var sort: ElementOrder?
    var slice: Expression?

    var name: String { "$push" }
    var purpose: PathPurpose { .create }

    var operand: Operand {
        let modifiers = [
            ("slice", slice.map(Operand.expression)), ("sort", sort?.operand), ("position", position.map(Operand.expression)),
        ]
        let named = modifiers.compactMap { name, operand in operand.map { Operand.Named(name, $0) } }
        return named.isEmpty ? elements.operand : .named([Operand.Named("of", elements.operand)] + named)
    }

    /// Pushing anything is a change, whatever the slice leaves.
    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        let values = try evaluate(elements, site, context)
        let position = try position.map { (position) throws(Refusal) in try evaluateInteger(position, "$position", site, context) }
        let limit = try slice.map { (slice) throws(Refusal) in try evaluateInteger(slice, "$slice", site, context) }
        return try modifyArray(&target, adding: values.count, site) { array in
            if let position {
                array.insert(contentsOf: values, at: Self.index(position, array.count))
            } else {
                array.append(contentsOf: values)
            }
            var changed = !values.isEmpty
            if let sort, sort.sort(&array) { changed = true }
            if let limit, limit.magnitude < array.count {
                array = Array(limit >= 0 ? array.prefix(limit) : array.suffix(-limit))
                changed = true
            }
            return changed
        }
    }

    /// A negative position counts from the end.
    private static func index(_ position: Int, _ count: Int) -> Int { position >= 0 ? min(position, count) : count + max(position, -count) }
}

/// `$addToSet`: adds the elements that are not there yet.
struct AddToSet: Action {
    var elements: Operator.Elements

    var name: String { "$addToSet" }
    var operand: Operand { elements.operand }
    var purpose: PathPurpose { .create }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        let values = try evaluate(elements, site, context)
        return try modifyArray(&target, adding: values.count, site) { array in
            let count = array.count
            for value in values where !array.contains(where: value.matches) { array.append(value) }
            return array.count != count
        }
    }
}

extension Operator {
    /// What `$push` and `$addToSet` add.
    public enum Elements: Hashable, Sendable {
        case one(Expression)
        /// `$each`: the elements of an array.
        case each(Expression)

        fileprivate var operand: Operand {
            switch self {
            case .one(let expression): .named([Operand.Named("one", .expression(expression))])
            case .each(let expression): .named([Operand.Named("each", .expression(expression))])
            }
        }
    }

    /// - Parameter slice: how many elements stay: the first ones, or with a negative count the last.
    public static func push(
        _ path: FieldPath, _ elements: Elements, slice: Expression? = nil, sort: ElementOrder? = nil, position: Expression? = nil
    ) -> Operator {
        Operator(path, Push(elements: elements, position: position, sort: sort, slice: slice))
    }

    public static func addToSet(_ path: FieldPath, _ elements: Elements) -> Operator { Operator(path, AddToSet(elements: elements)) }
}

extension Action {
    fileprivate func evaluate(_ elements: Operator.Elements, _ site: Site, _ context: Context) throws(Refusal) -> [Value] {
        switch elements {
        case .one(let expression): [try evaluate(expression, site, context, below: 1)]
        case .each(let expression): try evaluateArray(expression, "$each", site, context)
        }
    }

    /// Changes the array there, or a new one. `body` says whether it changed it.
    fileprivate func modifyArray(_ target: inout Value?, adding count: Int, _ site: Site, _ body: (inout [Value]) -> Bool) throws(Refusal) -> Bool {
        switch target {
        case nil:
            var array: [Value] = []
            _ = body(&array)
            try checkLength(of: array, site)
            target = .array(array)
            return true
        case .array(var array)?:
            // Kept only where the change may have to be undone: it would be copied then.
            let before = array.count + count > Limits.arrayLength ? array : nil
            target = .null
            defer { target = .array(array) }
            let changed = body(&array)
            do throws(Refusal) {
                try checkLength(of: array, site)
            } catch {
                array = before ?? array
                throw error
            }
            return changed
        case let other?: throw refusal(other, not: "an array", site)
        }
    }
}
