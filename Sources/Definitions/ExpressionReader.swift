import Events
import Models
import Values

/// Reads the expressions that operators compute their values from.
struct ExpressionReader {
    let findings: Findings
    /// What operators around the expression have given names.
    var variables: [String] = []

    /// The expression, or nil after it was reported.
    ///
    /// Maps and lists without a path in them become literals, so that they are built once and not for every event.
    func read(_ node: YAMLNode) -> Expression? {
        switch node.content {
        case .invalid: return nil
        case .scalar(let scalar):
            guard case .string(let text) = scalar.value, text.hasPrefix("$") else { return .literal(.init(scalar.value)) }
            return path(text, at: node.place)
        case .sequence(let nodes):
            // All of them, so that every mistake is reported.
            let elements = nodes.map(read)
            let values = elements.compactMap(\.self)
            guard values.count == elements.count else { return nil }
            let literals = values.compactMap(\.literal)
            return literals.count == values.count ? .literal(.init(.array(literals))) : .array(values)
        case .mapping(let members): return object(members)
        }
    }

    /// A value that is taken as it is written, dollars and all: the inside of `$literal`.
    func literal(_ node: YAMLNode) -> Value? {
        switch node.content {
        case .invalid: return nil
        case .scalar(let scalar): return scalar.value
        case .sequence(let nodes):
            let values = nodes.map(literal)
            return values.contains { $0 == nil } ? nil : .array(values.compactMap(\.self))
        case .mapping(let members):
            var document = Document()
            var isComplete = true
            for member in members {
                guard !member.name.utf8.contains(0) else {
                    findings.report("the name \(quoted(member.name)) holds NUL", at: member.place)
                    isComplete = false
                    continue
                }
                if let value = literal(member.value) { document.append(member.name, value) } else { isComplete = false }
            }
            return isComplete ? .document(document) : nil
        }
    }

    private func object(_ members: [YAMLNode.Member]) -> Expression? {
        let operators = members.filter { $0.name.hasPrefix("$") }
        if let first = operators.first {
            if members.count == 1, first.name == "$literal" { return literal(first.value).map { .literal(.init($0)) } }
            if members.count == 1, let op = ExpressionOperator.all[first.name] { return application(op, first.value) }
            for member in operators {
                Vocabulary.expressionOperators.report(member.name, at: member.place, findings, suggestion: "an operator stands alone in its map")
            }
            return nil
        }
        var object: [Expression.Member] = []
        var isComplete = true
        for member in members {
            if check(member), let value = read(member.value) {
                object.append(Expression.Member(member.name, value))
            } else {
                isComplete = false
            }
        }
        guard isComplete else { return nil }
        let fields = object.compactMap { member in member.value.literal.map { Document.Field(member.name, $0) } }
        return fields.count == object.count ? .literal(.init(.document(Document(fields)))) : .object(object)
    }

    /// Member names as MongoDB takes them in an expression: the rest it would read as paths.
    private func check(_ member: YAMLNode.Member) -> Bool {
        if member.name.isEmpty {
            findings.report("a name in an object must not be empty", at: member.place)
        } else if member.name.utf8.contains(0) {
            findings.report("the name \(quoted(member.name)) holds NUL", at: member.place)
        } else if member.name.utf8.contains(UInt8(ascii: ".")) {
            findings.report(
                "the name \(quoted(member.name)) in an object holds a dot", at: member.place, suggestion: "nest a map, or write { $literal: … }"
            )
        } else {
            return true
        }
        return false
    }
}

extension Expression {
    /// Its value, when it is the same for every event.
    var literal: Value? { if case .literal(let literal) = self { literal.value } else { nil } }

    /// Whether only an event can show what its value is.
    var isOpen: Bool {
        switch self {
        case .event, .document, .variable, .apply: true
        case .literal, .object, .array: false
        }
    }
}
