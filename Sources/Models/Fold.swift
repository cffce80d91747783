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
        let undo = effects.count > 1 || effects.first?.plan.needsUndo ?? false ? document : nil
        let existed = document != nil
        var changed = false
        do throws(Refusal) {
            for effect in effects where try effect.plan.apply(event, to: &document) { changed = true }
            return changed
        } catch {
            if undo != nil || !existed { document = undo }
            throw error
        }
    }
}
