import Events
import Values

extension EffectPlan {
    /// Applies the effect to the document, and says whether it changed it. When it throws, the document may be changed
    /// in part if `needsUndo` says so.
    ///
    /// - Parameter defaults: what a document begins with.
    func apply(_ event: Event, to document: inout Document?, defaults: Document) throws(Refusal) -> Bool {
        if document == nil, !creates { return false }
        var known = Known(steps: iterates ? StepCount() : nil)
        if !variables.isEmpty { known.variables = try evaluateVariables(event, document, defaults, known) }
        if condition != nil, try !holds(event, document, defaults, known) { return false }
        switch kind {
        case .delete:
            defer { document = nil }
            return document != nil
        case .refuse(let refusal): throw refusal
        case .update: return try update(&document, event, defaults, known, paths)
        case .computed(let operators): return try update(&document, event, defaults, known, try resolve(operators, event, document, defaults, known))
        }
    }

    /// What the expressions of one effect share.
    private struct Known {
        var variables: Context.Variable?
        var steps: StepCount?
    }

    /// A context shares the document's storage, which would make the first change copy it: so it is only given to effects
    /// that read the document.
    private func context(_ event: Event, _ document: Document?, _ defaults: Document, _ known: Known) -> Context {
        Context(
            event: event, before: readsDocument ? document ?? defaults : Document(), isInsert: document == nil, steps: known.steps, variables: known.variables
        )
    }

    private func update(
        _ document: inout Document?, _ event: Event, _ defaults: Document, _ known: Known, _ paths: PathNode.Members
    ) throws(Refusal) -> Bool {
        let context = context(event, document, defaults, known)
        let values = filters.isEmpty ? [] : try evaluateFilters(context)
        var fields = document.take() ?? defaults
        defer { document = fields }
        return try isPrepared ? prepare(&fields, context, values, paths) : paths.apply(to: &fields, context) || context.isInsert
    }

    /// Does what comes before the paths are followed, and follows them. Apart from `update`, because a context that can change
    /// is copied.
    private func prepare(_ fields: inout Document, _ context: Context, _ values: [Predicate<Value>], _ paths: PathNode.Members) throws(Refusal) -> Bool {
        var context = context
        let taken = try takeSources(from: &fields)
        context.lookups = Context.Lookups(filters: values, taken: taken)
        if isPositional { try checkOperands(paths, context) }
        var changed = context.isInsert || !taken.isEmpty
        for (site, action) in contributions where try action.enter(into: &fields, site, &context) { changed = true }
        return try paths.apply(to: &fields, context) || changed
    }

    // Functions of their own, so that their contexts do not share the document's storage while the effect changes it.

    private func evaluateVariables(_ event: Event, _ document: Document?, _ defaults: Document, _ known: Known) throws(Refusal) -> Context.Variable? {
        var context = context(event, document, defaults, known)
        for variable in variables { context.bind(variable.name, try variable.value.evaluate(context)) }
        return context.variables
    }

    private func holds(_ event: Event, _ document: Document?, _ defaults: Document, _ known: Known) throws(Refusal) -> Bool {
        try (condition?.evaluate(context(event, document, defaults, known))).isTrue
    }

    private func resolve(
        _ operators: [Operator], _ event: Event, _ document: Document?, _ defaults: Document, _ known: Known
    ) throws(Refusal) -> PathNode.Members {
        let context = context(event, document, defaults, known)
        return try PathNode.Members.tree(operators.map { (op) throws(Refusal) in try op.resolve(context) }, filters)
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
