/// Which fields of a document are shown. A path goes through arrays into each of their elements, as MongoDB's projections do.
public indirect enum FieldMask: Hashable, Sendable {
    case all
    case none
    /// The named fields by masks of their own, and the others wholly or not at all.
    case fields([Field], others: Bool)

    public struct Field: Hashable, Sendable {
        /// The name's UTF-8.
        public var name: [UInt8]
        public var mask: FieldMask

        public init(_ name: String, _ mask: FieldMask) {
            self.name = Array(name.utf8)
            self.mask = mask
        }
    }

    /// These paths, given by their names, and nothing else.
    public static func only(_ paths: [[String]]) -> FieldMask { paths.reduce(.fields([], others: false)) { $0.union(path($1[...], within: .all)) } }

    /// Everything but these paths.
    public static func without(_ paths: [[String]]) -> FieldMask {
        paths.reduce(.all) { $0.intersection(path($1[...], within: .none)) }
    }

    /// A mask that is `mask` at the end of a path, and the opposite everywhere beside it.
    private static func path(_ names: ArraySlice<String>, within mask: FieldMask) -> FieldMask {
        guard let first = names.first else { return mask }
        return .fields([Field(first, path(names.dropFirst(), within: mask))], others: mask == .none)
    }

    /// The mask of a field.
    public subscript(name: String) -> FieldMask { self[Array(name.utf8)] }

    subscript(name: [UInt8]) -> FieldMask { name.withUnsafeBytes { self[$0] } }

    subscript(name: UnsafeRawBufferPointer) -> FieldMask {
        switch self {
        case .all, .none: return self
        case .fields(let fields, let others):
            for field in fields where field.name.count == name.count && field.name.withUnsafeBytes({ $0.hasSameBytes(as: name) }) { return field.mask }
            return others ? .all : .none
        }
    }

    /// The mask of an element of an array that this is the mask of. What is hidden by an index into the array is hidden;
    /// nothing is shown by one.
    func element(_ index: Int) -> FieldMask {
        guard case .fields(let fields, _) = self, !fields.isEmpty else { return self }
        let name = Array(String(index).utf8)
        return fields.first { $0.name == name }.map { intersection($0.mask) } ?? self
    }

    /// Whether a value that is neither document nor array is shown by it.
    var showsValues: Bool {
        switch self {
        case .all: true
        case .none: false
        case .fields(_, let others): others
        }
    }

    /// What both show.
    public func intersection(_ other: FieldMask) -> FieldMask { combined(other, stop: .none, neutral: .all) { $0 && $1 } }

    /// What either shows.
    public func union(_ other: FieldMask) -> FieldMask { combined(other, stop: .all, neutral: .none) { $0 || $1 } }

    private func combined(_ other: FieldMask, stop: FieldMask, neutral: FieldMask, _ others: (Bool, Bool) -> Bool) -> FieldMask {
        if self == stop || other == stop { return stop }
        if self == neutral { return other }
        if other == neutral { return self }
        guard case .fields(let left, let leftOthers) = self, case .fields(let right, let rightOthers) = other else { return stop }
        var fields = left.map { field in
            var field = field
            field.mask = field.mask.combined(other[field.name], stop: stop, neutral: neutral, others)
            return field
        }
        for field in right where !left.contains(where: { $0.name == field.name }) {
            var field = field
            field.mask = field.mask.combined(self[field.name], stop: stop, neutral: neutral, others)
            fields.append(field)
        }
        return .fields(fields, others: others(leftOthers, rightOthers))
    }

    /// The same for the same mask in every process.
    public var tag: UInt64 {
        func text(_ mask: FieldMask) -> [UInt8] {
            switch mask {
            case .all: [1]
            case .none: [2]
            case .fields(let fields, let others): fields.flatMap { $0.name + [0] + text($0.mask) } + [others ? 3 : 4]
            }
        }
        return Digest(of: text(self)).low
    }

    /// The names that documents can have any of it under, where these are not all; nil where they may be.
    public var names: [String]? {
        switch self {
        case .all: nil
        case .none: []
        case .fields(_, others: true): nil
        case .fields(let fields, others: false): fields.filter { $0.mask != .none }.map { String(decoding: $0.name, as: UTF8.self) }
        }
    }
}
