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
public let foldVersion: Int32 = 1

/// Effects by event type.
public struct EffectFold: Folding, Hashable {
    public var effects: [String: [Effect]]

    public init(_ effects: [String: [Effect]]) { self.effects = effects }

    public func handles(_ type: String) -> Bool { effects[type] != nil }

    public func fold(_ event: Event, into document: inout Document?) throws(Refusal) -> Bool {
        guard let effects = effects[event.type] else { return false }
        // A single operator fails before it changes anything; only a longer effect needs to be undone.
        let undo = effects.count > 1 || (effects.first?.operators.count ?? 0) > 1 ? document : nil
        let existed = document != nil
        var changed = false
        do throws(Refusal) {
            for effect in effects where try apply(effect, event, &document) { changed = true }
            return changed
        } catch {
            if undo != nil || !existed { document = undo }
            throw error
        }
    }

    private func apply(_ effect: Effect, _ event: Event, _ document: inout Document?) throws(Refusal) -> Bool {
        if effect.operators.first == .delete {
            defer { document = nil }
            return document != nil
        }
        // The context shares the document's storage, which would make the first change copy it: so it is only given to
        // effects that read the document.
        let context = Context(event: event, before: effect.readsDocument ? document ?? Document() : Document())
        var changed = document == nil
        var fields = document ?? Document()
        document = nil
        defer { document = fields }
        for op in effect.operators where try op.apply(to: &fields, context) { changed = true }
        return changed
    }
}

extension Effect {
    /// Whether an expression of the effect looks at `$$doc`.
    var readsDocument: Bool {
        operators.contains { op in
            switch op {
            case .set(_, let value), .increment(_, let value), .minimum(_, let value), .maximum(_, let value), .pull(_, let value): value.readsDocument
            case .push(_, let elements, let slice): elements.expression.readsDocument || (slice?.readsDocument ?? false)
            case .addToSet(_, let elements): elements.expression.readsDocument
            case .unset, .delete: false
            }
        }
    }
}

extension Operator.Elements {
    var expression: Expression {
        switch self {
        case .one(let expression), .each(let expression): expression
        }
    }
}

extension Expression {
    var readsDocument: Bool {
        switch self {
        case .document: true
        case .literal, .event: false
        case .object(let members): members.contains { $0.value.readsDocument }
        case .array(let elements): elements.contains(where: \.readsDocument)
        }
    }
}
