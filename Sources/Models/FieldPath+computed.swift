import Events
import Values

extension FieldPath {
    /// The path that an event leads along. Throws where a name is missing, is neither a string nor an integer, or none
    /// that a document can have there.
    func resolve(_ context: Context) throws(Refusal) -> FieldPath {
        var names = names
        for (place, pieces) in computed {
            var name = ""
            for piece in pieces { name += try text(of: piece, context) }
            guard !name.isEmpty, !name.utf8.contains(0) else { throw Refusal(.badPath, "\(self): the computed name is empty or holds NUL") }
            guard place > 0 || !Self.reserved.contains(name) else { throw Refusal(.badPath, "\(self): Millrace sets \(name) itself") }
            names[place] = name
        }
        return FieldPath(names, computed: computed)
    }

    /// What its names are computed from.
    var expressions: [Expression] {
        computed.values.flatMap { pieces in pieces.compactMap { if case .value(let expression) = $0 { expression } else { nil } } }
    }

    private func text(of piece: Piece, _ context: Context) throws(Refusal) -> String {
        switch piece {
        case .text(let text): return text
        case .value(let expression):
            switch try expression.evaluate(context) {
            case .string(let text)?: return text
            case .int32(let number)?: return String(number)
            case .int64(let number)?: return String(number)
            case let other?: throw Refusal(.badPath, "\(self): a computed name is a string or an integer, found a value of type \(other.typeName)")
            case nil: throw Refusal(.missingValue, "\(self): the value of a computed name is missing")
            }
        }
    }

    /// Names of fields of the document itself that Millrace sets.
    public static let reserved = ["_id"] + StoredDocument.hiddenFields
}
