import Events
import Values

/// What a read model does with the events of its stream. The YAML language is one implementation; a fold written in
/// Swift can stand beside it.
public protocol Folding: Sendable {
    /// Whether events of this type are folded; others are ignored by choice.
    func handles(_ type: ExactString) -> Bool

    /// What becomes of later events when one cannot be taken.
    var errorPolicy: ErrorPolicy { get }

    /// How long a document lives after the last event that changed it was logged; nil for as long as no event removes it.
    var lifetime: Duration? { get }

    /// Applies one event to the document of its key, and says whether it changed it. `document` holds the fields without
    /// `_id` and `_position`, and is nil when there is no document. Throws when the event cannot be taken; the document
    /// is then as it was.
    ///
    /// The answer must follow from the event and the document alone: it decides the document's `_position`, which must
    /// be the same however the log is cut into batches.
    func fold(_ event: Event, into document: inout Document?) throws(Refusal) -> Bool
}

extension Folding {
    public var errorPolicy: ErrorPolicy { .skip }
    public var lifetime: Duration? { nil }
}

/// `onError`: what becomes of later events when one cannot be taken.
public enum ErrorPolicy: String, Hashable, Sendable, CaseIterable {
    /// It is parked, and they are applied.
    case skip
    /// It is parked, and those of its key are held back until it is dropped, or can be taken.
    case hold
    /// It is not parked: the model stops there, in its partition, and none is applied before it can be taken.
    case stop
}

/// The version of the fold's meaning. A build is only folded by a binary that carries its version: it rises whenever
/// the same events under the same definition would give another document.
public let foldVersion: Int32 = 3

/// Effects by event type.
public struct EffectFold: Folding, Equatable {
    public var effects: [ExactString: [Effect]] { didSet { plans = Plans(effects, others, derivation) } }
    /// `"*"`: those of the types that are not named.
    public var others: [Effect]? { didSet { plans = Plans(effects, others, derivation) } }
    private var plans: Plans
    public var errorPolicy = ErrorPolicy.skip
    /// `ttl`
    public var lifetime: Duration?
    /// `defaults`: the fields that a document begins with.
    public var defaults = Document()
    /// `derive`: fields computed from the finished document, after each event that changed it.
    public var derivation: Effect? { didSet { plans = Plans(effects, others, derivation) } }
    /// `root`: the types of events that make a document whole. One that others have made is an orphan until then.
    public var roots: Set<ExactString>?
    /// Of the types whose versions are known.
    public var versions: [ExactString: Versions] = [:]
    /// `unknown: park`: events of types that no effect names are parked, not ignored.
    public var parksUnknown = false

    public init(_ effects: [ExactString: [Effect]], others: [Effect]? = nil) {
        self.effects = effects
        self.others = others
        plans = Plans(effects, others, nil)
    }

    /// What follows from the effects, so that an event needs one look-up.
    private struct Plans: Equatable {
        var byType: [ExactString: Plan]
        var others: Plan?
        var derivation: EffectPlan?

        init(_ effects: [ExactString: [Effect]], _ others: [Effect]?, _ derivation: Effect?) {
            byType = effects.mapValues(Plan.init)
            self.others = others.map(Plan.init)
            self.derivation = derivation?.plan
        }

        /// The effects are compared, and no part of what follows from them.
        static func == (left: Plans, right: Plans) -> Bool { true }
    }

    /// The effects of one type.
    private final class Plan: Sendable {
        /// Mostly the only one: an array's elements are counted up and down where it is walked.
        private let first: EffectPlan?
        private let others: [EffectPlan]
        /// Whether a refusal can come after a change.
        let needsUndo: Bool

        init(_ effects: [Effect]) {
            first = effects.first?.plan
            others = effects.dropFirst().map(\.plan)
            needsUndo = effects.count > 1 || first?.needsUndo ?? false
        }

        func apply(_ event: Event, to document: inout Document?, defaults: Document) throws(Refusal) -> Bool {
            var isChanged = try first?.apply(event, to: &document, defaults: defaults) ?? false
            for effect in others where try effect.apply(event, to: &document, defaults: defaults) { isChanged = true }
            return isChanged
        }
    }

    public func handles(_ type: ExactString) -> Bool { others != nil || parksUnknown || plans.byType[type] != nil }

    public func fold(_ event: Event, into document: inout Document?) throws(Refusal) -> Bool {
        guard let plan = plans.byType[event.type] ?? plans.others else {
            guard parksUnknown else { return false }
            throw Refusal(.unknownType, "no effect of the model names the event type \(event.type.text)")
        }
        guard !versions.isEmpty, let known = versions[event.type] else { return try apply(plan, event, to: &document) }
        return try apply(plan, known.read(event), to: &document)
    }

    private func apply(_ plan: Plan, _ event: Event, to document: inout Document?) throws(Refusal) -> Bool {
        let undo = plan.needsUndo || plans.derivation != nil ? document : nil
        let existed = document != nil
        do throws(Refusal) {
            var changed = try plan.apply(event, to: &document, defaults: defaults)
            if let roots, document != nil, mark(&document, isRoot: roots.contains(event.type), existed: existed) { changed = true }
            if changed, document != nil { _ = try plans.derivation?.apply(event, to: &document, defaults: defaults) }
            return changed
        } catch {
            if undo != nil || !existed { document = undo }
            throw error
        }
    }

    /// Marks a document as an orphan, or takes the mark away. Says whether it did.
    private func mark(_ document: inout Document?, isRoot: Bool, existed: Bool) -> Bool {
        if isRoot {
            guard document?[StoredDocument.orphanField] != nil else { return false }
            document?[StoredDocument.orphanField] = nil
            return true
        }
        guard !existed else { return false }
        document?[StoredDocument.orphanField] = true
        return true
    }
}
