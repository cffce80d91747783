import Events
import Values

/// A dotted path into a document: names, and indexes where it meets an array.
public struct FieldPath: Hashable, Sendable, CustomStringConvertible {
    public var names: [String]

    public init(_ names: [String]) { self.names = names }

    /// Splits at the dots. nil when a part is empty.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        names = parts
    }

    public var description: String { names.joined(separator: ".") }

    /// Whether one path is the other or leads to it: two operators of one effect may not touch both.
    public func conflicts(with other: FieldPath) -> Bool {
        zip(names, other.names).allSatisfy { $0.utf8Equal($1) }
    }

    /// How many nulls a path may add to an array that ends before it; MongoDB's own limit.
    static let maximumPadding = 1_500_000
}

/// What a path is followed for, which decides what happens where it leads nowhere.
enum PathPurpose {
    /// Missing parents become documents and arrays are padded with null, as with `$set`.
    case create
    /// Nothing happens where something is missing, but what stands in the way is refused, as with `$pull`.
    case change
    /// Nothing happens, whatever the reason, as with `$unset`.
    case remove
}

extension Document {
    /// Changes the value at a path in place. `body` gets nil where nothing is there, and leaves nil to remove.
    ///
    /// Throws `bad-path` where the path leads through a value that has no such members. When it throws, the document is
    /// as it was.
    mutating func modify(_ path: ArraySlice<String>, _ purpose: PathPurpose, _ body: (inout Value?) throws(Refusal) -> Void) throws(Refusal) {
        guard let name = path.first else { return }
        if let index = index(of: name) {
            // Taken out, the value is referenced once, and changing it copies nothing.
            var value: Value? = fields[index].value
            fields[index].value = .null
            defer {
                if let value { fields[index].value = value } else { fields.remove(at: index) }
            }
            try modifyChild(&value, path.dropFirst(), purpose, body)
        } else if purpose == .create {
            var value: Value?
            try modifyChild(&value, path.dropFirst(), purpose, body)
            if let value { append(name, value) }
        }
    }
}

/// Goes on below a value that a path has reached.
private func modifyChild(
    _ value: inout Value?, _ path: ArraySlice<String>, _ purpose: PathPurpose, _ body: (inout Value?) throws(Refusal) -> Void
) throws(Refusal) {
    guard let name = path.first else { return try body(&value) }
    switch value {
    case nil:
        guard purpose == .create else { return }
        var document = Document()
        try document.modify(path, purpose, body)
        value = .document(document)
    case .document(var document)?:
        value = .null
        defer { value = .document(document) }
        try document.modify(path, purpose, body)
    case .array(var elements)?:
        guard let index = arrayIndex(name) else {
            guard purpose != .remove else { return }
            throw Refusal(.badPath, "an array has no member \(name)")
        }
        value = .null
        defer { value = .array(elements) }
        try modifyElement(&elements, index, path.dropFirst(), purpose, body)
    case let scalar?:
        guard purpose != .remove else { return }
        throw Refusal(.badPath, "a value of type \(scalar.typeName) has no member \(name)")
    }
}

private func modifyElement(
    _ elements: inout [Value], _ index: Int, _ path: ArraySlice<String>, _ purpose: PathPurpose, _ body: (inout Value?) throws(Refusal) -> Void
) throws(Refusal) {
    if elements.indices.contains(index) {
        var element: Value? = elements[index]
        elements[index] = .null
        // An element that is unset leaves a null behind, so that the others keep their places.
        defer { elements[index] = element ?? .null }
        try modifyChild(&element, path, purpose, body)
    } else if purpose == .create {
        guard index - elements.count <= FieldPath.maximumPadding else {
            throw Refusal(.badPath, "index \(index) is too far beyond the end of an array of \(elements.count)")
        }
        var element: Value?
        try modifyChild(&element, path, purpose, body)
        if let element {
            elements.append(contentsOf: repeatElement(.null, count: index - elements.count))
            elements.append(element)
        }
    }
}

/// The index a path component stands for. Leading zeros mean nothing, as in MongoDB.
private func arrayIndex(_ name: String) -> Int? {
    name.utf8.allSatisfy { 48...57 ~= $0 } ? Int(name) : nil
}

extension Value {
    /// The value at a path as an aggregation expression reads it: a name applied to an array is applied to each element
    /// that is a document, and what lacks it is left out.
    func resolve(_ path: ArraySlice<String>) -> Value? {
        guard let name = path.first else { return self }
        switch self {
        case .document(let document): return document[name]?.resolve(path.dropFirst())
        case .array(let elements):
            return .array(
                elements.compactMap { element in
                    if case .document = element { element.resolve(path) } else { nil }
                }
            )
        default: return nil
        }
    }

    /// Levels of nesting: 0 for a scalar.
    var depth: Int {
        switch self {
        case .document(let document): 1 + (document.fields.lazy.map(\.value.depth).max() ?? 0)
        case .array(let values): 1 + (values.lazy.map(\.depth).max() ?? 0)
        default: 0
        }
    }
}
