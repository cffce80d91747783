import Values
import Yams

/// Reads one YAML document as nodes.
///
/// Reported, and not read: a second document, duplicate and empty keys, keys that are not text, merge keys, tags outside
/// the core schema, numbers beyond 64 bits. A syntax error ends the reading; everything else does not.
struct YAMLReader {
    /// Nodes of a file once its aliases are followed: a few lines of aliases of aliases make billions.
    static let maximumNodes = 100_000
    /// Levels of nesting: more than a document of MongoDB has, and what a thread's stack can bear.
    static let maximumDepth = 250

    private let findings: Findings
    private let masked: [Place: String]
    private var nodes = 0

    private init(_ findings: Findings, masked: [Place: String]) {
        self.findings = findings
        self.masked = masked
    }

    /// The document, or nil when nothing could be read; why is among the findings.
    static func read(_ text: String, _ findings: Findings) -> YAMLNode? {
        guard let composition = YAMLComposition.compose(text, findings) else { return nil }
        guard let root = composition.root else {
            findings.report("is empty", at: nil, suggestion: "begin with version: 1")
            return nil
        }
        var reader = YAMLReader(findings, masked: composition.masked)
        do throws(TooManyNodes) {
            return try reader.read(root, depth: 1)
        } catch {
            findings.report("holds more than \(maximumNodes) values once its aliases are followed", at: nil)
            return nil
        }
    }

    private struct TooManyNodes: Error {}

    private mutating func read(_ node: Node, depth: Int) throws(TooManyNodes) -> YAMLNode {
        nodes += 1
        guard nodes <= Self.maximumNodes else { throw TooManyNodes() }
        let place = Self.place(node)
        guard depth <= Self.maximumDepth else {
            findings.report("is nested deeper than \(Self.maximumDepth) levels", at: place)
            return YAMLNode(place: place, content: .invalid)
        }
        switch node {
        case .scalar(let scalar): return YAMLNode(place: place, content: content(scalar, place))
        case .sequence(let sequence):
            check(sequence.tag, is: .seq, "list", place)
            var elements: [YAMLNode] = []
            for element in sequence { elements.append(try read(element, depth: depth + 1)) }
            return YAMLNode(place: place, content: .sequence(elements))
        case .mapping(let mapping):
            check(mapping.tag, is: .map, "map", place)
            return YAMLNode(place: place, content: .mapping(try members(mapping, depth)))
        case .alias:
            // Yams puts the value in place of the alias.
            return YAMLNode(place: place, content: .invalid)
        }
    }

    private mutating func members(_ mapping: Node.Mapping, _ depth: Int) throws(TooManyNodes) -> [YAMLNode.Member] {
        var members: [YAMLNode.Member] = []
        // By bytes: Swift's strings are also equal when they only look alike.
        var places: [[UInt8]: Place] = [:]
        for (key, value) in mapping {
            let place = Self.place(key)
            let value = try read(value, depth: depth + 1)
            guard let name = name(key, place) else { continue }
            if let first = places[Array(name.utf8)] {
                findings.report("the key \(quoted(name)) stands here a second time, first at \(first)", at: place)
                continue
            }
            places[Array(name.utf8)] = place
            members.append(YAMLNode.Member(name: name, place: place, value: value))
        }
        return members
    }

    private func name(_ key: Node, _ place: Place) -> String? {
        if let name = masked[place] { return name }
        guard case .scalar(let scalar) = key else {
            findings.report(
                "a key must be text, found a \(key.sequence == nil ? "map" : "list")", at: place,
                suggestion: "quote text that holds braces or brackets"
            )
            return nil
        }
        if scalar.style == .plain {
            if scalar.string == "<<" {
                findings.report("merge keys (<<) are not part of YAML 1.2", at: place, suggestion: "write the keys out")
                return nil
            }
            if CoreSchema.resolve(scalar.string) == .value(.null) {
                findings.report("a key must be text, found nothing", at: place)
                return nil
            }
        }
        return scalar.string
    }

    private func content(_ scalar: Node.Scalar, _ place: Place) -> YAMLNode.Content {
        let text = scalar.string
        let tag = Tag.Name(rawValue: scalar.tag.rawValue)
        let resolution = CoreSchema.resolve(text)
        switch (tag, resolution) {
        case (.str, _), (.nonSpecific, _): return .scalar(YAMLNode.Scalar(text: text, value: .string(text)))
        case (.implicit, .value(let value)) where scalar.style == .plain: return .scalar(YAMLNode.Scalar(text: text, value: value))
        case (.implicit, .outOfRange) where scalar.style == .plain, (.int, .outOfRange), (.float, .outOfRange):
            findings.report("the number \(quoted(text)) does not fit into 64 bits", at: place, suggestion: "quote it to make it a string")
        case (.implicit, _): return .scalar(YAMLNode.Scalar(text: text, value: .string(text)))
        case (.null, .value(.null)), (.bool, .value(.bool)), (.int, .value(.int32)), (.int, .value(.int64)), (.float, .value(.double)):
            if case .value(let value) = resolution { return .scalar(YAMLNode.Scalar(text: text, value: value)) }
        case (.float, .value(.int32(let number))): return .scalar(YAMLNode.Scalar(text: text, value: .double(Double(number))))
        case (.float, .value(.int64(let number))): return .scalar(YAMLNode.Scalar(text: text, value: .double(Double(number))))
        case (.null, _), (.bool, _), (.int, _), (.float, _):
            findings.report("\(quoted(text)) is not of the type that its tag \(Self.show(tag)) names", at: place)
        default: report(unknown: tag, place)
        }
        return .invalid
    }

    private func check(_ tag: Tag, is expected: Tag.Name, _ kind: String, _ place: Place) {
        let name = Tag.Name(rawValue: tag.rawValue)
        switch name {
        case .implicit, .nonSpecific, expected: break
        case .str, .null, .bool, .int, .float, .map, .seq:
            findings.report("a \(kind) is not of the type that its tag \(Self.show(name)) names", at: place)
        default: report(unknown: name, place)
        }
    }

    private func report(unknown tag: Tag.Name, _ place: Place) {
        findings.report("the tag \(Self.show(tag)) is not part of YAML's core schema", at: place, suggestion: "leave it out")
    }

    /// A tag in the short form in which it is written.
    private static func show(_ tag: Tag.Name) -> String {
        let core = "tag:yaml.org,2002:"
        return quoted(tag.rawValue.hasPrefix(core) ? "!!" + tag.rawValue.dropFirst(core.count) : tag.rawValue)
    }

    private static func place(_ node: Node) -> Place { Place(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1) }
}
