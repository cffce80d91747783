import Events
import Values

/// Reads a file of cases.
struct CaseReader {
    let findings: Findings
    /// Names of models; nil when they are not known, and then they are not looked for.
    let models: Set<String>?

    static let keys = ["model", "cases"]
    static let caseKeys = ["name", "given", "expect", "repeatable", "orders"]
    static let givenKeys = ["documents", "events", "loggedAfter"]
    static let expectKeys = ["documents", "absent", "ignored", "duplicates", "parked", "held", "stopped"]

    /// The cases; they are only to be used when there are no findings.
    func read(_ source: String) -> CaseFile? {
        guard let root = YAMLReader.read(source, findings), Section.checkVersion(root, findings),
            let section = Section.root(root, "a file of cases", keys: Self.keys, findings)
        else { return nil }
        let (modelNode, casesNode) = (section.required("model"), section.required("cases"))
        let model = modelNode.flatMap { findings.string($0, "model") }
        if let models, let model, let modelNode { _ = findings.isKnown(model, "model", models, at: modelNode.place) }
        let cases = casesNode.map(cases)
        guard let model, let cases else { return nil }
        return CaseFile(file: findings.file, model: model, cases: cases, source: source)
    }

    private func cases(_ node: YAMLNode) -> [Case] {
        guard let elements = node.elements, !elements.isEmpty else {
            if !node.isInvalid {
                let found = node.elements == nil ? node.found : "an empty list"
                findings.report("cases: must be a list of at least one case, found \(found)", at: node.place)
            }
            return []
        }
        var places: [String: Place] = [:]
        return elements.compactMap { element in
            guard let section = Section(element, "a case", keys: Self.caseKeys, findings) else { return nil }
            let place = element.place
            guard let nameNode = section.required("name"), let name = findings.string(nameNode, "name") else { return nil }
            if let first = places[name] {
                findings.report("the case \(quoted(name)) stands here a second time, first at \(first)", at: nameNode.place)
            }
            places[name] = nameNode.place
            return read(section, Case(name: name, place: place), element)
        }
    }

    private func read(_ section: Section, _ begun: Case, _ node: YAMLNode) -> Case {
        var read = begun
        if let given = section.required("given"), let given = Section(given, "given:", keys: Self.givenKeys, findings) {
            read.documents = given["documents"].flatMap(documents) ?? []
            read.elements = given.required("events").map(elements) ?? []
            read.delays = given["loggedAfter"].map { delays($0, read) } ?? [:]
        }
        if let node = section["repeatable"] { read.isRepeatable = findings.bool(node, "repeatable") ?? false }
        if let node = section["orders"] { read.isUnordered = orders(node, read) }
        if let member = node.members?.first(where: { $0.name == "expect" }) {
            read.expectPlace = (member.place, member.value.place)
            if member.value.scalar?.value != .null { read.expectation = expectation(member.value, read) }
        }
        return read
    }

    private func orders(_ node: YAMLNode, _ read: Case) -> Bool {
        guard node.scalar?.value == "all" else {
            if !node.isInvalid { findings.report("orders: must be all, found \(node.found)", at: node.place, suggestion: "leave it out for the given order") }
            return false
        }
        if read.elements.count > Case.maximumUnordered {
            findings.report("orders: all takes at most \(Case.maximumUnordered) events, found \(read.elements.count)", at: node.place)
        }
        return true
    }

    /// Documents by their ids.
    private func documents(_ node: YAMLNode) -> [(id: String, fields: Document)]? {
        guard let members = node.members else {
            if !node.isInvalid {
                findings.report(
                    "documents: must be a map of ids and fields, found \(node.found)", at: node.place, suggestion: "such as { product-1: { stock: 3 } }"
                )
            }
            return nil
        }
        return members.compactMap { member in
            guard checkID(member.name, at: member.place) else { return nil }
            return CaseValueReader(findings: findings).fields(member.value, of: member.name).map { (member.name, $0) }
        }
    }

    private func checkID(_ id: String, at place: Place) -> Bool {
        if Envelope.keyLength.contains(id.utf8.count), !id.utf8.contains(0) { return true }
        findings.report("\(quoted(id)) cannot be the id of a document: it has 1 to \(Envelope.keyLength.upperBound) bytes without NUL", at: place)
        return false
    }

    // MARK: Events

    private func elements(_ node: YAMLNode) -> [Case.Element] {
        guard let nodes = node.elements, !nodes.isEmpty else {
            if !node.isInvalid {
                let found = node.elements == nil ? node.found : "an empty list"
                findings.report("events: must be a list of at least one event, found \(found)", at: node.place)
            }
            return []
        }
        if nodes.count > Case.maximumElements {
            findings.report("a case has at most \(Case.maximumElements) events, found \(nodes.count)", at: node.place)
            return []
        }
        return nodes.compactMap { node in
            switch node.content {
            case .mapping:
                guard let event = json(node)?.asDocument else { return nil }
                return .event(event)
            case .scalar(let scalar):
                if let text = scalar.value.asString { return .text(text) }
            case .sequence: break
            case .invalid: return nil
            }
            findings.report("an event must be a map, or the text of one, found \(node.found)", at: node.place)
            return nil
        }
    }

    /// A value that JSON can say.
    private func json(_ node: YAMLNode) -> Value? {
        switch node.content {
        case .invalid: return nil
        case .scalar(let scalar):
            if case .double(let number) = scalar.value, !number.isFinite {
                findings.report("JSON has no number \(scalar.text)", at: node.place)
                return nil
            }
            return scalar.value
        case .sequence(let nodes):
            let values = nodes.map(json)
            return values.contains { $0 == nil } ? nil : .array(values.compactMap(\.self))
        case .mapping(let members):
            let fields = members.map { member in json(member.value).map { Document.Field(member.name, $0) } }
            return fields.contains { $0 == nil } ? nil : .document(Document(fields.compactMap(\.self)))
        }
    }

    /// When events are logged, by their places or their ids.
    private func delays(_ node: YAMLNode, _ read: Case) -> [Int: Duration] {
        guard let members = node.members else {
            if !node.isInvalid {
                findings.report("loggedAfter: must be a map of events and durations, found \(node.found)", at: node.place, suggestion: "such as { 3: 31d }")
            }
            return [:]
        }
        var delays: [Int: Duration] = [:]
        for member in members {
            guard let number = event(member.name, read) else {
                reportUnknown(quoted(member.name), read, at: member.place)
                continue
            }
            guard let delay = findings.duration(member.value, "loggedAfter", in: .zero...ModelReader.lifetimes.upperBound) else { continue }
            delays[number] = delay
            let order = delays.sorted { $0.key < $1.key }.map(\.value)
            if order != order.sorted() { findings.report("loggedAfter: an event cannot be logged before the one before it", at: member.value.place) }
        }
        return delays
    }

    private func event(_ name: String, _ read: Case) -> Int? {
        if let number = Int(name) { return read.elements.indices.contains(number - 1) ? number : nil }
        return read.place(of: name)
    }

    // MARK: Expectations

    private func expectation(_ node: YAMLNode, _ read: Case) -> Expectation {
        var expectation = Expectation()
        guard let section = Section(node, "expect:", keys: Self.expectKeys, findings) else { return expectation }
        expectation.documents = section["documents"].flatMap(documents)
        if let node = section["absent"], let nodes = list(node, "absent") {
            for node in nodes {
                guard let id = findings.string(node, "absent"), checkID(id, at: node.place) else { continue }
                expectation.absent.append(id)
                guard expectation.documents?.contains(where: { $0.id.utf8Equal(id) }) ?? false else { continue }
                findings.report("\(quoted(id)) is among the documents, and absent", at: node.place)
            }
        }
        expectation.ignored = events(section["ignored"], "ignored", read).map(\.number)
        expectation.duplicates = events(section["duplicates"], "duplicates", read).map(\.number)
        expectation.held = events(section["held"], "held", read).map(\.number)
        expectation.parked = section["parked"].flatMap { list($0, "parked") }?.compactMap { refused($0, "a parked event", read) } ?? []
        expectation.stopped = section["stopped"].flatMap { refused($0, "stopped:", read) }
        var seen: Set<Int> = []
        let stopped = expectation.stopped.map { [$0.event] } ?? []
        let named = expectation.ignored + expectation.duplicates + expectation.held + expectation.parked.map(\.event) + stopped
        for number in named where !seen.insert(number).inserted { findings.report("event \(number) is named twice", at: section.place) }
        for number in named where stopped.contains(where: { $0 < number }) {
            findings.report("event \(number) comes behind the one that stops the model, and waits", at: section.place)
        }
        return expectation
    }

    /// An event that the model cannot take, and why.
    private func refused(_ node: YAMLNode, _ what: String, _ read: Case) -> (event: Int, problem: String)? {
        guard let section = Section(node, what, keys: Self.refusedKeys, findings) else { return nil }
        let number = section.required("event").flatMap { event($0, read) }
        let problem = section.required("problem").flatMap { findings.string($0, "problem") }
        guard let number, let problem else { return nil }
        return (number, problem)
    }

    static let refusedKeys = ["event", "problem"]

    private func list(_ node: YAMLNode, _ name: String) -> [YAMLNode]? {
        if let nodes = node.elements { return nodes }
        if !node.isInvalid { findings.report("\(name): must be a list, found \(node.found)", at: node.place) }
        return nil
    }

    private func events(_ node: YAMLNode?, _ name: String, _ read: Case) -> [(number: Int, place: Place)] {
        (node.flatMap { list($0, name) } ?? []).compactMap { node in event(node, read).map { ($0, node.place) } }
    }

    /// An event by its number, counted from 1, or by the `eventId` that the case gives it.
    private func event(_ node: YAMLNode, _ read: Case) -> Int? {
        if node.isInvalid { return nil }
        switch node.scalar?.value {
        case let number? where number.asInteger != nil:
            if let number = number.asInteger, 1...Int64(max(1, read.elements.count)) ~= number { return Int(number) }
        case .string(let id)?: if let number = read.place(of: id) { return number }
        default: break
        }
        reportUnknown(node.found, read, at: node.place)
        return nil
    }

    private func reportUnknown(_ event: String, _ read: Case, at place: Place) {
        findings.report(
            "there is no event \(event): the case has \(read.elements.count)", at: place,
            suggestion: "an event is named by its place, counted from 1, or by its eventId"
        )
    }
}

extension Case {
    /// The place, counted from 1, of the event that the case gives an id.
    fileprivate func place(of id: String) -> Int? {
        let index = elements.firstIndex { element in
            if case .event(let event) = element { event["eventId"]?.asString?.utf8Equal(id) ?? false } else { false }
        }
        return index.map { $0 + 1 }
    }
}
