import Events
import Models
import Values

/// What a model says of its documents as a whole, besides the effects of events.
extension ModelReader {
    static let documentKeys = ["root", "derive", "defaults", "private", "indexes", "read", "cache"]

    static func readDocument(_ section: Section, into fold: inout EffectFold, _ findings: Findings) {
        if let node = section["defaults"], let defaults = readDefaults(node, findings) { fold.defaults = defaults }
        if let node = section["root"] { fold.roots = readRoots(node, fold, findings) }
        if let node = section["derive"] { fold.derivation = readDerivation(node, fold, findings) }
    }

    /// Fields without dots in their names, and values that are the same for every event.
    private static func readDefaults(_ node: YAMLNode, _ findings: Findings) -> Document? {
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid {
                let found = node.members == nil ? node.found : "an empty map"
                findings.report("defaults: must be a map of fields and values, found \(found)", at: node.place, suggestion: "such as { stock: 0 }")
            }
            return nil
        }
        for member in members where FieldPath.reserved.contains(member.name) {
            findings.report("defaults: \(member.name) is set by Millrace itself", at: member.place)
        }
        guard let expression = ExpressionReader(findings: findings).read(node) else { return nil }
        guard let document = expression.literal?.asDocument else {
            findings.report("defaults: must be the same for every event", at: node.place, suggestion: "$setOnInsert takes values from the event")
            return nil
        }
        return document
    }

    private static func readRoots(_ node: YAMLNode, _ fold: EffectFold, _ findings: Findings) -> Set<ExactString>? {
        var roots: Set<ExactString> = []
        for node in node.elements ?? [node] {
            guard let type = findings.string(node, "root") else { continue }
            if fold.handles(ExactString(type)) {
                roots.insert(ExactString(type))
            } else {
                findings.report(
                    "root: the fold has no effect for \(quoted(type))", at: node.place, .unknownName,
                    suggestion: Suggestion.didYouMean(type, among: fold.effects.keys.sorted().map(\.text)))
            }
        }
        if node.elements?.isEmpty == true { findings.report("root: is an empty list of event types", at: node.place) }
        return roots
    }

    private static func readDerivation(_ node: YAMLNode, _ fold: EffectFold, _ findings: Findings) -> Effect? {
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid {
                let found = node.members == nil ? node.found : "an empty map"
                findings.report("derive: must be a map of paths and values, found \(found)", at: node.place)
            }
            return nil
        }
        let expressions = ExpressionReader(findings: findings)
        let paths = PathReader(expressions: expressions, allowsPlaceholders: false, allowsComputed: false)
        let fields = members.map { member in (path: paths.read(member), value: expressions.read(member.value), place: member.place) }
        let changed = (fold.effects.values.flatMap(\.self) + (fold.others ?? [])).flatMap(\.operators)
        for (number, field) in fields.enumerated() {
            guard let path = field.path else { continue }
            if let op = changed.first(where: { op in (op.isDelete ? [] : op.sources + [op.path]).contains { $0.conflicts(with: path) } }) {
                findings.report("derive: \(path) is also changed by \(op.name) \(op.path)", at: field.place)
            }
            if let other = fields[..<number].first(where: { $0.path?.conflicts(with: path) ?? false }) {
                findings.report("derive: \(path) conflicts with the one at \(other.place)", at: field.place)
            }
            for read in field.value?.paths ?? [] {
                switch read {
                case .event(let name, _):
                    findings.report(
                        "derive: \(path) reads $\(name.rawValue), and only the document says what it derives from", at: field.place,
                        suggestion: "let an effect keep it in the document, and read $$doc")
                case .document(let names):
                    guard let derived = fields.compactMap(\.path).first(where: { names.isEmpty || $0.conflicts(with: FieldPath(names)) }) else { continue }
                    let whole = names.isEmpty ? "the whole document" : FieldPath(names).description
                    findings.report("derive: \(path) reads \(whole), and \(derived) is derived itself", at: field.place)
                default: break
                }
            }
        }
        let operators = fields.compactMap { field in field.path.flatMap { path in field.value.map { Operator.derive(path, $0) } } }
        return operators.count == fields.count ? Effect(operators) : nil
    }

    static let readKeys = ["from", "maxStaleness"]
    /// Where `read:` reads from.
    static let readPlaces = ["primary", "secondaries"]

    static func readReading(_ node: YAMLNode, _ findings: Findings) -> ReadSettings {
        var reading = ReadSettings()
        guard let section = Section(node, "read:", keys: readKeys, findings) else { return reading }
        if let node = section["from"], let place = findings.string(node, "from") {
            reading.isFromPrimary = place == "primary"
            if !readPlaces.contains(place) {
                findings.report(
                    "from: must be \(readPlaces.joined(separator: " or ")), found \(quoted(place))", at: node.place,
                    suggestion: Suggestion.didYouMean(place, among: readPlaces))
            }
        }
        if let node = section["maxStaleness"], let staleness = findings.duration(node, "maxStaleness", in: ReadSettings.stalenessRange) {
            reading.maxStaleness = staleness
        }
        return reading
    }

    static let cacheKeys = ["fields", "maxAge", "maxBytes"]

    static func readCache(_ node: YAMLNode, _ findings: Findings) -> CacheSettings? {
        var cache = CacheSettings()
        guard let section = Section(node, "cache:", keys: cacheKeys, findings) else { return nil }
        if let node = section["fields"] { cache.fields = readPaths(node, "fields", example: "such as [ name, price ]", findings) }
        if let node = section["maxAge"], let age = findings.duration(node, "maxAge", in: CacheSettings.ageRange) { cache.maxAge = age }
        if let node = section["maxBytes"], let bytes = findings.byteCount(node, "maxBytes", in: CacheSettings.bytesRange) { cache.maxBytes = bytes }
        return cache
    }

    static func readPrivate(_ node: YAMLNode, _ findings: Findings) -> [FieldPath] { readPaths(node, "private", example: "such as [ cost ]", findings) }

    private static func readPaths(_ node: YAMLNode, _ name: String, example: String, _ findings: Findings) -> [FieldPath] {
        guard let nodes = node.elements, !nodes.isEmpty else {
            if !node.isInvalid { findings.report("\(name): must be a list of paths, found \(node.found)", at: node.place, suggestion: example) }
            return []
        }
        let paths = PathReader(expressions: ExpressionReader(findings: findings), allowsPlaceholders: false, allowsComputed: false)
        return nodes.compactMap { node in findings.string(node, name).flatMap { paths.read($0, at: node.place) } }
    }
}

extension Expression {
    /// What it reads of the event, the document and variables.
    var paths: [Expression] {
        switch self {
        case .literal: []
        case .event, .document, .variable: [self]
        case .object(let members): members.flatMap(\.value.paths)
        case .array(let elements): elements.flatMap(\.paths)
        case .apply(let application): application.arguments.flatMap { $0?.paths ?? [] }
        }
    }
}
