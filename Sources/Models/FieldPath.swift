import Events
import Values

/// A dotted path into a document: names, indexes where it meets an array, `$[]` or `$[name]` for each element of one or
/// for those that a filter finds, and names that each event computes.
public struct FieldPath: Hashable, Sendable, CustomStringConvertible {
    /// As they are written, where an event computes them.
    public private(set) var names: [String]
    /// What a name is put together from, by its place.
    public let computed: [Int: [Piece]]

    /// A piece of a computed name.
    public enum Piece: Hashable, Sendable {
        case text(String)
        case value(Expression)
    }

    public init(_ names: [String], computed: [Int: [Piece]] = [:]) {
        self.names = names
        self.computed = computed
    }

    /// Splits at the dots. nil when a part is empty.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.init(parts)
    }

    public var description: String { names.joined(separator: ".") }

    /// Whether a part stands for elements of an array.
    public var isPositional: Bool { !placeholders.isEmpty }

    /// What its placeholders name.
    public var placeholders: [String] { names.indices.compactMap(placeholder) }

    /// What the part at a place stands for. A computed name is a name, whatever it looks like.
    func placeholder(at place: Int) -> String? { computed[place] == nil ? Self.placeholder(names[place]) : nil }

    /// What a part like `$[name]` names, and the empty text for `$[]`; nil for any other part.
    public static func placeholder(_ part: String) -> String? {
        part.hasPrefix("$[") && part.hasSuffix("]") ? String(part.dropFirst(2).dropLast()) : nil
    }

    /// The index that a part stands for where it meets an array. Leading zeros mean nothing, as in MongoDB.
    static func index(_ part: String) -> Int? {
        part.utf8.allSatisfy { 48...57 ~= $0 } ? Int(part) : nil
    }

    /// Whether one path is the other or leads to it: two operators of one effect may not touch both. Nor may one take
    /// for a document, or for a single element, what the other takes for an array. Two placeholders that differ may
    /// stand for the same element, which only an event can show.
    public func conflicts(with other: FieldPath) -> Bool {
        for (mine, theirs) in zip(names, other.names) where !mine.utf8Equal(theirs) {
            if (Self.placeholder(mine) == nil) != (Self.placeholder(theirs) == nil) { return true }
            // 1 and 01 are the same element.
            return Self.index(mine).map { $0 == Self.index(theirs) } ?? false
        }
        return true
    }

    /// How many nulls a path may add to an array that ends before it; MongoDB's own limit.
    static let maximumPadding = 1_500_000
}

extension Value {
    /// Levels of nesting: 0 for a scalar.
    var depth: Int {
        var inner = 0
        switch self {
        case .document(let document): for place in document.fields.indices { inner = max(inner, document.fields[place].value.depth) }
        case .array(let values): for place in values.indices { inner = max(inner, values[place].depth) }
        default: return 0
        }
        return inner + 1
    }
}
