import Events
import Values

extension EffectPlan {
    /// Applies the effect to the document, and says whether it changed it. When it throws, the document may be changed
    /// in part if `needsUndo` says so.
    func apply(_ event: Event, to document: inout Document?) throws(Refusal) -> Bool {
        if document == nil, !creates { return false }
        if condition != nil, try !holds(event, document) { return false }
        switch kind {
        case .delete:
            defer { document = nil }
            return document != nil
        case .refuse(let refusal): throw refusal
        case .update(let paths):
            // The context shares the document's storage, which would make the first change copy it: so it is only given
            // to effects that read the document.
            var context = Context(event: event, before: readsDocument ? document ?? Document() : Document(), isInsert: document == nil)
            if !filters.isEmpty { context.filters = try evaluateFilters(context) }
            var fields = document ?? Document()
            document = nil
            defer { document = fields }
            if !renames.isEmpty { context.taken = try takeSources(from: &fields) }
            if isPositional { try checkOperands(paths, context) }
            return try paths.apply(to: &fields, context) || context.isInsert || !context.taken.isEmpty
        }
    }

    /// A function of its own, so that its context does not share the document's storage while the effect changes it.
    private func holds(_ event: Event, _ document: Document?) throws(Refusal) -> Bool {
        let before = readsDocument ? document ?? Document() : Document()
        return try (condition?.evaluate(Context(event: event, before: before, isInsert: document == nil))).isTrue
    }

    private func evaluateFilters(_ context: Context) throws(Refusal) -> [Predicate<Value>] {
        var values: [Predicate<Value>] = []
        for filter in filters {
            values.append(
                try filter.predicate.map { (expression) throws(Refusal) in
                    if let value = try expression.evaluate(context) { return value }
                    throw Refusal(.missingValue, "a value of the array filter \(filter.name) is missing")
                }
            )
        }
        return values
    }

    private func takeSources(from fields: inout Document) throws(Refusal) -> [Int: Value] {
        var taken: [Int: Value] = [:]
        for rename in renames { taken[rename.number] = try Rename.take(rename.source, from: &fields) }
        return taken
    }

    /// Applies each operator to nothing, which finds the operands that it cannot take: whether an event is parked for those
    /// must not hang on how many elements a placeholder stands for.
    private func checkOperands(_ paths: PathNode.Members, _ context: Context) throws(Refusal) {
        for operation in paths.operations {
            var nothing: Value?
            _ = try operation.action.apply(to: &nothing, operation.site, context)
        }
    }
}
