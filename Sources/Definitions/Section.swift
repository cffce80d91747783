import Events
import Values

/// A map of which every key is known: the rest is reported with a suggestion.
struct Section {
    let place: Place
    private let members: [YAMLNode.Member]
    private let findings: Findings

    /// nil, and reported, when the node is no map. `later` are keys of the language that this version does not support.
    init?(_ node: YAMLNode, _ what: String, keys: [String], later: [String] = [], _ findings: Findings) {
        guard let members = node.members else {
            if !node.isInvalid { findings.report("\(what) must be a map with \(listed(keys)), found \(node.found)", at: node.place) }
            return nil
        }
        for member in members where !keys.contains(member.name) {
            if later.contains(member.name) {
                findings.report("\(member.name): is not supported yet", at: member.place, .notSupportedYet)
            } else {
                let suggestion = Suggestion.didYouMean(member.name, among: keys + later) ?? "allowed here: \(listed(keys))"
                findings.report("unknown key \(quoted(member.name))", at: member.place, .unknownName, suggestion: suggestion)
            }
        }
        place = node.place
        self.members = members
        self.findings = findings
    }

    subscript(name: String) -> YAMLNode? { members.first { $0.name == name }?.value }

    /// The value of a key that must be there.
    func required(_ name: String) -> YAMLNode? {
        if let value = self[name] { return value }
        findings.report("\(name): is missing", at: place)
        return nil
    }

    /// The root of a file, after its version has been checked.
    static func root(_ node: YAMLNode, _ what: String, keys: [String], later: [String] = [], _ findings: Findings) -> Section? {
        Section(node, what, keys: ["version"] + keys, later: later, findings)
    }

    /// Every file starts with `version: 1`. False when the rest cannot be read: what a newer version means by it is
    /// unknown.
    static func checkVersion(_ root: YAMLNode, _ findings: Findings) -> Bool {
        guard let members = root.members else { return true }
        guard let version = members.first(where: { $0.name == "version" }) else {
            findings.report("version: is missing", at: root.place, suggestion: "begin the file with version: 1")
            return true
        }
        let value = version.value
        if let number = value.scalar?.value.asInteger, number > 1 {
            findings.report(
                "the file is of version \(number), and this Millrace reads version 1", at: value.place, .newerFormat, suggestion: "update Millrace"
            )
            return false
        }
        if value.scalar?.value != 1, !value.isInvalid { findings.report("version: must be 1, found \(value.found)", at: value.place) }
        if members.first?.name != "version" { findings.report("version: must come first in the file", at: version.place) }
        return true
    }
}

/// `a, b and c`
func listed(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " and " + last
}
