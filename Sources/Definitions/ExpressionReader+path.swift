import Events
import Models
import Values

extension ExpressionReader {
    /// A text that begins with a dollar: `$data.amount` reads the event, `$$doc.price` the document.
    func path(_ text: String, at place: Place) -> Expression? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let names = Array(parts.dropFirst())
        let first = parts.first ?? ""
        guard first.hasPrefix("$$") ? check(variable: first, at: place) : check(member: first, of: text, at: place) else { return nil }
        for name in names {
            guard !name.isEmpty else { return refuse(text, "has an empty part", at: place) }
            guard !name.hasPrefix("$") else { return refuse(text, "has a part that begins with $", at: place) }
            guard !name.utf8.contains(0) else { return refuse(text, "holds NUL", at: place) }
        }
        guard names.count <= BSON.maximumDepth else { return refuse(text, "is deeper than the \(BSON.maximumDepth) levels of a document", at: place) }
        if first.hasPrefix("$$"), variables.contains(String(first.dropFirst(2))) { return .variable(name: String(first.dropFirst(2)), path: names) }
        if first == "$$REMOVE" {
            guard names.isEmpty else { return refuse(text, "leads into $$REMOVE, which has no members", at: place) }
            return .removal
        }
        if first == "$$doc" {
            if let name = names.first, StoredDocument.hiddenFields.contains(name) {
                return refuse(text, "reads \(name), which a fold cannot see", at: place)
            }
            return .document(path: names)
        }
        guard let member = Event.MemberName(rawValue: String(first.dropFirst())) else { return nil }
        // These are text or a time: a path into one is missing in every event, which would park them all.
        guard names.isEmpty || ![.eventId, .eventType, .key, .occurredAt, .op].contains(member) else {
            return refuse(text, "leads into \(member.rawValue), which has no members", at: place)
        }
        return .event(name: member, path: names)
    }

    private func refuse(_ text: String, _ message: String, at place: Place) -> Expression? {
        findings.report("the path \(quoted(text)) \(message)", at: place)
        return nil
    }

    private func check(variable name: String, at place: Place) -> Bool {
        if name == "$$doc" || name == "$$REMOVE" || variables.contains(String(name.dropFirst(2))) { return true }
        var variables = Vocabulary.variables
        variables.supported += self.variables.map { "$$" + $0 }
        variables.report(name, at: place, findings)
        return false
    }

    private func check(member first: String, of text: String, at place: Place) -> Bool {
        let name = String(first.dropFirst())
        if Event.MemberName(rawValue: name) != nil { return true }
        let literal = "text that begins with a dollar is written { $literal: … }"
        let suggestion: String
        if let member = Suggestion.closest(to: name, among: Event.MemberName.all) {
            suggestion = "did you mean \(quoted("$" + member + text.dropFirst(first.count)))?"
        } else if name.utf8.first.map({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }) ?? false {
            suggestion = "the event has \(listed(Event.MemberName.all.map { "$" + $0 })); \(literal)"
        } else {
            // A price, say: "$5".
            suggestion = literal
        }
        findings.report("the event has no member \(quoted(name))", at: place, .unknownName, suggestion: suggestion)
        return false
    }
}
