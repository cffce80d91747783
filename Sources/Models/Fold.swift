import Events
import Values

/// What a read model does with the events of its stream. The YAML language is one implementation; a fold written in
/// Swift can stand beside it.
public protocol Folding: Sendable {
    /// Whether events of this type are folded; others are ignored by choice.
    func handles(_ type: String) -> Bool

    /// Applies one event to the document of its key, and says whether it changed it. `document` holds the fields without
    /// `_id` and `_position`, and is nil when there is no document. Throws when the event cannot be taken; the document
    /// is then as it was.
    ///
    /// The answer must follow from the event and the document alone: it decides the document's `_position`, which must
    /// be the same however the log is cut into batches.
    func fold(_ event: Event, into document: inout Document?) throws(Refusal) -> Bool
}

/// The version of the fold's meaning. A build is only folded by a binary that carries its version: it rises whenever
/// the same events under the same definition would give another document.
public let foldVersion: Int32 = 2

/// Effects by event type.
public struct EffectFold: Folding, Hashable {
    public var effects: [String: [Effect]]

    public init(_ effects: [String: [Effect]]) { self.effects = effects }

    public func handles(_ type: String) -> Bool { effects[type] != nil }

    public func fold(_ event: Event, into document: inout Document?) throws(Refusal) -> Bool {
        guard let effects = effects[event.type] else { return false }
        let undo = effects.count > 1 || effects.first?.needsUndo ?? false ? document : nil
        let existed = document != nil
        var changed = false
        do throws(Refusal) {
            for effect in effects where try effect.apply(event, to: &document) { changed = true }
            return changed
        } catch {
            if undo != nil || !existed { document = undo }
            throw error
        }
    }
}

extension Effect {
    /// Applies the effect to the document, and says whether it changed it. When it throws, the document may be changed
    /// in part if `needsUndo` says so.
    fileprivate func apply(_ event: Event, to document: inout Document?) throws(Refusal) -> Bool {
        switch plan {
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

    private func evaluateFilters(_ context: Context) throws(Refusal) -> [Predicate<Value>] {
        var values: [Predicate<Value>] = []
        for filter in filters {
            values.append(
                try filter.predicate.map { (expression) throws(Refusal) in
                    if let value = expression.evaluate(context) { return value }
                    throw Refusal(.missingValue, "a value of the array filter \(filter.name) is missing")
                }
            )
        }
        return values
    }

    private func takeSources(from fields: inout Document) throws(Refusal) -> [Int: Value] {
        var taken: [Int: Value] = [:]
        for number in renames {
            for source in operators[number].sources { taken[number] = try Rename.take(source, from: &fields) }
        }
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
