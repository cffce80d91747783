import Models

/// The reference page of the expression language, made of the operators' own descriptions.
enum ExpressionReference {
    static var page: String {
        var lines = [
            "# Expressions", "",
            "What an expression means is what MongoDB 6.0 makes of it; a test compares every operator here with a real mongod on random",
            "operands. `$name` reads the event, `$$doc` the document before the effect, and `{ $literal: … }` is taken as it is written. An",
            "operator stands alone in its map. One that does not take what it is given parks the event; where only null or nothing is",
            "given, most give null. Arguments in brackets may be left out.", "",
            "<!-- Generated: MILLRACE_WRITE_REFERENCE=1 swift test --filter ExpressionReferenceTests -->",
        ]
        for family in ExpressionOperator.families {
            lines += ["", "## \(family.name)", "", "| operator | arguments | gives | example |", "|---|---|---|---|"]
            for op in family.operators { lines.append("| `\(op.name)` | \(arguments(of: op)) | \(op.meaning) | `\(op.example)` |") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func arguments(of op: ExpressionOperator) -> String {
        let parameters = op.parameters.map { parameter in
            let text = parameter.kind.rawValue == parameter.name ? parameter.name : "\(parameter.name): \(parameter.kind.rawValue)"
            return parameter.isOptional ? "[\(text)]" : text
        }
        switch op.form {
        case .list(_, let repeats): return parameters.joined(separator: ", ") + (repeats ? ", …" : "")
        case .named, .branches, .variables: return "{ " + parameters.joined(separator: ", ") + " }"
        case .listOrNamed(1): return "\(parameters[0]), or { " + parameters.joined(separator: ", ") + " }"
        case .listOrNamed: return parameters.joined(separator: ", ") + ", or a map of them"
        }
    }
}
