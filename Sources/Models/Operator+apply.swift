import Events
import Values

extension Operator {
    /// Applies the operator to the document, and says whether it changed it. Expressions see `context`, not what earlier
    /// operators of the effect did. `$push` of anything counts as a change, whatever `$slice` leaves.
    func apply(to document: inout Document, _ context: Context) throws(Refusal) -> Bool {
        var changed = false
        switch self {
        case .set(let path, let expression):
            let value = try evaluate(expression, path, context)
            try document.modify(path.names[...], .create) { (target) throws(Refusal) in
                changed = target != value
                target = value
            }
        case .unset(let path):
            try document.modify(path.names[...], .remove) { (target) throws(Refusal) in
                changed = target != nil
                target = nil
            }
        case .increment(let path, let expression):
            let amount = try evaluate(expression, path, context)
            guard amount.isNumber else { throw Refusal(.badOperand, "$inc \(path): the amount is of type \(amount.typeName), not a number") }
            try document.modify(path.names[...], .create) { (target) throws(Refusal) in
                let sum = try target.map { (value) throws(Refusal) in try Self.sum(value, amount, path) } ?? amount
                changed = target != sum
                target = sum
            }
        case .minimum(let path, let expression):
            let value = try evaluate(expression, path, context)
            try document.modify(path.names[...], .create) { (target) throws(Refusal) in
                changed = target.map { Value.order(value, $0) < 0 } ?? true
                if changed { target = value }
            }
        case .maximum(let path, let expression):
            let value = try evaluate(expression, path, context)
            try document.modify(path.names[...], .create) { (target) throws(Refusal) in
                changed = target.map { Value.order(value, $0) > 0 } ?? true
                if changed { target = value }
            }
        case .push(let path, let elements, let slice):
            let values = try evaluate(elements, path, context)
            let limit = try slice.map { (expression) throws(Refusal) in try evaluateSlice(expression, path, context) }
            changed = try modifyArray(path, "$push", &document) { array in
                let count = array.count
                array.append(contentsOf: values)
                if let limit { array = Self.slice(array, limit) }
                return !values.isEmpty || array.count != count
            }
        case .addToSet(let path, let elements):
            let values = try evaluate(elements, path, context)
            changed = try modifyArray(path, "$addToSet", &document) { array in
                let count = array.count
                for value in values where !array.contains(where: value.matches) { array.append(value) }
                return array.count != count
            }
        case .pull(let path, let expression):
            let wanted = try evaluate(expression, path, context)
            try document.modify(path.names[...], .change) { (target) throws(Refusal) in
                guard let value = target else { return }
                guard case .array(let array) = value else { throw Refusal(.badOperand, "$pull \(path): the field is of type \(value.typeName), not an array") }
                let kept = array.filter { !$0.isPulled(by: wanted) }
                changed = kept.count != array.count
                target = .array(kept)
            }
        case .delete: break
        }
        return changed
    }

    /// The value for a place so many levels below the path.
    private func evaluate(_ expression: Expression, _ path: FieldPath, _ context: Context, below levels: Int = 0) throws(Refusal) -> Value {
        guard let value = expression.evaluate(context) else { throw Refusal(.missingValue, "the value for \(path) is missing") }
        guard path.names.count + levels + value.depth <= BSON.maximumDepth else {
            throw Refusal(.documentTooDeep, "\(path) would be nested deeper than \(BSON.maximumDepth) levels")
        }
        return value
    }

    private func evaluate(_ elements: Elements, _ path: FieldPath, _ context: Context) throws(Refusal) -> [Value] {
        switch elements {
        case .one(let expression): return [try evaluate(expression, path, context, below: 1)]
        case .each(let expression):
            let value = try evaluate(expression, path, context)
            guard case .array(let values) = value else { throw Refusal(.badOperand, "$each for \(path) is of type \(value.typeName), not an array") }
            return values
        }
    }

    private func evaluateSlice(_ expression: Expression, _ path: FieldPath, _ context: Context) throws(Refusal) -> Int {
        let value = try evaluate(expression, path, context)
        guard let count = value.asInteger.flatMap(Int32.init(exactly:)) else { throw Refusal(.badOperand, "$slice for \(path) is not an integer") }
        return Int(count)
    }

    private func modifyArray(
        _ path: FieldPath, _ name: String, _ document: inout Document, _ body: (inout [Value]) -> Bool
    ) throws(Refusal) -> Bool {
        var changed = false
        try document.modify(path.names[...], .create) { (target) throws(Refusal) in
            switch target {
            case nil:
                var array: [Value] = []
                _ = body(&array)
                changed = true
                target = .array(array)
            case .array(var array)?:
                target = .null
                changed = body(&array)
                target = .array(array)
            case let other?: throw Refusal(.badOperand, "\(name) \(path): the field is of type \(other.typeName), not an array")
            }
        }
        return changed
    }

    private static func sum(_ value: Value, _ amount: Value, _ path: FieldPath) throws(Refusal) -> Value {
        do throws(ArithmeticError) {
            return try Value.sum(value, amount)
        } catch {
            switch error {
            case .overflow: throw Refusal(.numberOverflow, "$inc \(path): the sum leaves the range of int64")
            case .notANumber(let type): throw Refusal(.badOperand, "$inc \(path): the field is of type \(type), not a number")
            }
        }
    }

    /// `$slice`: the first elements, or with a negative count the last.
    private static func slice(_ array: [Value], _ count: Int) -> [Value] {
        Array(count >= 0 ? array.prefix(count) : array.suffix(-count))
    }
}

extension Value {
    fileprivate var isNumber: Bool {
        switch self {
        case .int32, .int64, .double: true
        default: false
        }
    }

    /// Whether `$pull` takes this element out: it equals a wanted scalar or array, or has every wanted member.
    fileprivate func isPulled(by wanted: Value) -> Bool {
        guard case .document(let members) = wanted else { return matches(wanted) }
        guard case .document = self else { return false }
        return members.fields.allSatisfy { member in
            has(member.value, at: member.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)[...])
        }
    }

    /// Whether a query finds the wanted value at a path: as the value there or as one of its elements. A name is looked
    /// for in each element of an array that is a document, and a missing member is null.
    private func has(_ wanted: Value, at path: ArraySlice<String>) -> Bool {
        guard let name = path.first else {
            guard case .array(let elements) = self, !matches(wanted) else { return matches(wanted) }
            return elements.contains(where: wanted.matches)
        }
        switch self {
        case .document(let document): return document[name].map { $0.has(wanted, at: path.dropFirst()) } ?? wanted.matches(.null)
        case .array(let elements):
            if elements.contains(where: { if case .document = $0 { $0.has(wanted, at: path) } else { false } }) { return true }
            guard let index = Int(name), String(index) == name, elements.indices.contains(index) else { return false }
            // What an index leads to is compared whole.
            return path.count == 1 ? elements[index].matches(wanted) : elements[index].has(wanted, at: path.dropFirst())
        default: return wanted.matches(.null)
        }
    }
}
