import Models
import Values

extension ExpressionReader {
    /// `{ $operator: arguments }`.
    func application(_ op: ExpressionOperator, _ node: YAMLNode) -> Expression? {
        switch op.form {
        case .list(let least, let repeats): list(op, node, least: least, most: repeats ? nil : op.parameters.count)
        case .named: named(op, node)
        case .listOrNamed(let count):
            node.members.map { !$0.contains { $0.name.hasPrefix("$") } } ?? false
                ? named(op, node) : list(op, node, least: count, most: count)
        case .branches: branches(op, node)
        case .variables: variables(op, node)
        }
    }

    /// A single argument need not stand in a list.
    private func list(_ op: ExpressionOperator, _ node: YAMLNode, least: Int, most: Int?) -> Expression? {
        if node.isInvalid { return nil }
        let nodes = node.elements ?? [node]
        guard nodes.count >= least, nodes.count <= most ?? .max else {
            let wanted = most.map { $0 == least ? "\(least)" : "\(least) to \($0)" } ?? "at least \(least)"
            findings.report(
                "\(op.name) takes \(wanted) \(wanted == "1" ? "argument" : "arguments"), found \(nodes.count)", at: node.place,
                suggestion: "such as \(op.example)")
            return nil
        }
        return apply(op, nodes.map(read))
    }

    /// All of them were read, so that every mistake is reported.
    private func apply(_ op: ExpressionOperator, _ arguments: [Expression?]) -> Expression? {
        arguments.contains { $0 == nil } ? nil : .apply(Application(op, arguments))
    }

    private func named(_ op: ExpressionOperator, _ node: YAMLNode) -> Expression? {
        guard let section = section(op, node, op.parameters.filter { !$0.isOptional }.map(\.name)) else { return nil }
        var isComplete = true
        var names: [String] = []
        var arguments: [Expression?] = []
        for parameter in op.parameters {
            guard let node = section[parameter.name] else {
                arguments.append(nil)
                continue
            }
            if parameter.kind == .variable {
                if let name = variable(node) { names.append(name) } else { isComplete = false }
                arguments.append(nil)
            } else {
                let argument = argument(parameter, node, op, names)
                if argument == nil { isComplete = false }
                arguments.append(argument)
            }
        }
        guard isComplete, checkDefaults(section, op), checkCalendars(section, op, node), checkPattern(section, arguments, op) else { return nil }
        return .apply(Application(op, arguments, names: names))
    }

    /// What stands in for the elements that the shorter inputs of `$zip` lack.
    private func checkDefaults(_ section: Section, _ op: ExpressionOperator) -> Bool {
        guard let defaults = section["defaults"] else { return true }
        if section["useLongestLength"]?.scalar?.value != true {
            findings.report("defaults of \(op.name) need useLongestLength: true beside them", at: defaults.place)
            return false
        }
        let (count, wanted) = (defaults.elements?.count ?? 0, section["inputs"]?.elements?.count ?? 0)
        if count != wanted { findings.report("\(op.name) has \(wanted) inputs and \(count) defaults", at: defaults.place) }
        return count == wanted
    }

    /// `$dateFromParts` makes a date by one of two calendars.
    private func checkCalendars(_ section: Section, _ op: ExpressionOperator, _ node: YAMLNode) -> Bool {
        guard op.name == "$dateFromParts" else { return true }
        let others = section["year"] == nil ? ["month", "day"] : ["isoWeekYear", "isoWeek", "isoDayOfWeek"]
        guard section["year"] != nil || section["isoWeekYear"] != nil else {
            findings.report("$dateFromParts needs year or isoWeekYear", at: node.place, suggestion: "such as \(op.example)")
            return false
        }
        guard let wrong = others.first(where: { section[$0] != nil }), let place = section[wrong]?.place else { return true }
        findings.report("$dateFromParts mixes \(wrong) with the parts of another calendar", at: place)
        return false
    }

    /// A pattern that is the same for every event is compiled here, and not found wrong by the first one.
    private func checkPattern(_ section: Section, _ arguments: [Expression?], _ op: ExpressionOperator) -> Bool {
        guard op.parameters.count > 2, op.parameters[1].kind == .pattern, let text = arguments[1]?.literal?.asString else { return true }
        let options = arguments[2].map { $0.literal?.asString } ?? ""
        guard let options, let mistake = ExpressionOperator.mistake(inPattern: text, options: options) else { return true }
        findings.report("\(op.name): \(mistake)", at: section["regex"]?.place ?? section.place)
        return false
    }

    /// The map of an operator's arguments, of which some must be there.
    private func section(_ op: ExpressionOperator, _ node: YAMLNode, _ required: [String]) -> Section? {
        let known = findings.problems.count
        guard let section = Section(node, op.name, keys: op.parameters.map(\.name), findings) else { return nil }
        // A name that is written wrong is not missing as well.
        guard findings.problems.count == known else { return nil }
        for name in required where section[name] == nil {
            findings.report("\(op.name) needs \(name)", at: node.place, suggestion: "such as \(op.example)")
        }
        return findings.problems.count == known ? section : nil
    }

    private func argument(_ parameter: ExpressionOperator.Parameter, _ node: YAMLNode, _ op: ExpressionOperator, _ names: [String]) -> Expression? {
        func refuse(_ wanted: String) -> Expression? {
            findings.report("\(parameter.name) of \(op.name) must be \(wanted), found \(node.found)", at: node.place)
            return nil
        }
        switch parameter.kind {
        case .constantOrder:
            guard let value = literal(node) else { return nil }
            return ElementOrder(value) == nil ? refuse("1, -1 or a map of fields and 1 or -1") : .literal(.init(value))
        case .constantName:
            guard let expression = read(node) else { return nil }
            return expression.literal?.asString == nil ? refuse("a string") : expression
        case .constantFlag:
            guard let expression = read(node) else { return nil }
            return expression.literal?.asBool == nil ? refuse("true or false") : expression
        case .arrays, .values:
            guard node.elements != nil || node.isInvalid else { return refuse("a list") }
            return read(node)
        case .type:
            guard let expression = read(node) else { return nil }
            if let value = expression.literal, !ExpressionOperator.isType(value) { return refuse("a type: " + listed(ExpressionOperator.types)) }
            return expression
        default:
            let inner: [String] =
                switch parameter.scope {
                case .none: []
                case .element: [names.first ?? "this"]
                case .reduction: ["this", "value"]
                }
            return with(inner).read(node)
        }
    }

    private func variable(_ node: YAMLNode) -> String? {
        guard case .string(let name)? = node.scalar?.value else {
            if !node.isInvalid { findings.report("the name of a variable must be a string, found \(node.found)", at: node.place) }
            return nil
        }
        return checkVariable(named: name, at: node.place) ? name : nil
    }

    /// What MongoDB takes as the name of a variable, but for the document's.
    func checkVariable(named name: String, at place: Place) -> Bool {
        let isGood =
            name.unicodeScalars.first.map { ("a"..."z").contains($0) || !$0.isASCII } ?? false
            && name.unicodeScalars.allSatisfy { ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_" || !$0.isASCII }
        guard isGood, name != "doc" else {
            findings.report(
                "\(quoted(name)) cannot be the name of a variable", at: place,
                suggestion: name == "doc" ? "$$doc is the document" : "it is letters, digits and _, and begins with a small letter")
            return false
        }
        return true
    }

    private func variables(_ op: ExpressionOperator, _ node: YAMLNode) -> Expression? {
        guard let section = section(op, node, op.parameters.map(\.name)), let vars = section["vars"], let body = section["in"] else { return nil }
        guard let members = vars.members else {
            if !vars.isInvalid { findings.report("vars of $let must be a map of names and values, found \(vars.found)", at: vars.place) }
            return nil
        }
        var isComplete = true
        for member in members where !checkVariable(named: member.name, at: member.place) { isComplete = false }
        let names = members.map(\.name)
        let arguments = members.map { read($0.value) } + [with(names).read(body)]
        guard isComplete, !arguments.contains(where: { $0 == nil }) else { return nil }
        return .apply(Application(op, arguments, names: names))
    }

    private func branches(_ op: ExpressionOperator, _ node: YAMLNode) -> Expression? {
        guard let section = section(op, node, ["branches"]), let branches = section["branches"] else { return nil }
        guard let nodes = branches.elements, !nodes.isEmpty else {
            if !branches.isInvalid { findings.report("branches of $switch must be a list of maps, found \(branches.found)", at: branches.place) }
            return nil
        }
        var arguments: [Expression?] = []
        for node in nodes {
            let branch = Section(node, "a branch of $switch", keys: ["case", "then"], findings)
            arguments += [branch?.required("case").flatMap(read), branch?.required("then").flatMap(read)]
        }
        let other = section["default"].map(read)
        guard !arguments.contains(where: { $0 == nil }), other.map({ $0 != nil }) ?? true else { return nil }
        return .apply(Application(op, arguments + [other ?? nil]))
    }

    /// A reader that knows more variables.
    func with(_ names: [String]) -> ExpressionReader {
        names.isEmpty ? self : ExpressionReader(findings: findings, variables: variables + names)
    }
}
