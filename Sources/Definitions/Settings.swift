import Events
import Values

// Readers of single settings. Each returns nil after it has reported what was found and what is allowed.
extension Findings {
    func string(_ node: YAMLNode, _ name: String, suggestion: String? = nil) -> String? {
        if node.isInvalid { return nil }
        guard let text = node.scalar?.value.asString else {
            report(
                "\(name): must be a string, found \(node.found)", at: node.place, suggestion: suggestion ?? (node.scalar == nil ? nil : "quote it")
            )
            return nil
        }
        guard !text.isEmpty else {
            report("\(name): must not be empty", at: node.place)
            return nil
        }
        guard !text.utf8.contains(0) else {
            report("\(name): must not hold NUL", at: node.place)
            return nil
        }
        return text
    }

    func integer(_ node: YAMLNode, _ name: String, in range: ClosedRange<Int>) -> Int? {
        if node.isInvalid { return nil }
        switch node.scalar?.value {
        case .int32(let number)? where range.contains(Int(number)): return Int(number)
        case .int64(let number)? where Int(exactly: number).map(range.contains) ?? false: return Int(number)
        default:
            report("\(name): must be an integer from \(range.lowerBound) to \(range.upperBound), found \(node.found)", at: node.place)
            return nil
        }
    }

    func bool(_ node: YAMLNode, _ name: String) -> Bool? {
        if let value = node.scalar?.value.asBool { return value }
        if !node.isInvalid { report("\(name): must be true or false, found \(node.found)", at: node.place) }
        return nil
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ node: YAMLNode, _ name: String) -> Choice? where Choice.RawValue == String {
        guard let text = string(node, name) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        report("\(name): must be \(Choice.allCases.map(\.rawValue).joined(separator: " or ")), found \(quoted(text))", at: node.place)
        return nil
    }

    func duration(_ node: YAMLNode, _ name: String, in range: ClosedRange<Duration>) -> Duration? {
        if node.isInvalid { return nil }
        let allowed = "a duration from \(Units.format(range.lowerBound)) to \(Units.format(range.upperBound))"
        guard let scalar = node.scalar, let duration = Units.duration(scalar.text) else {
            report("\(name): must be \(allowed), found \(node.found)", at: node.place, suggestion: "write a whole number and ms, s, m, h or d")
            return nil
        }
        guard range.contains(duration) else {
            report("\(name): must be \(allowed), found \(scalar.text)", at: node.place)
            return nil
        }
        return duration
    }

    func byteCount(_ node: YAMLNode, _ name: String, in range: ClosedRange<ByteCount>) -> ByteCount? {
        if node.isInvalid { return nil }
        let allowed = "a size from \(Units.format(range.lowerBound)) to \(Units.format(range.upperBound))"
        guard let scalar = node.scalar, let size = Units.size(scalar.text) else {
            report(
                "\(name): must be \(allowed), found \(node.found)", at: node.place,
                suggestion: "write bytes, or a whole number and KiB, MiB, kB or MB"
            )
            return nil
        }
        guard range.contains(size) else {
            report("\(name): must be \(allowed), found \(scalar.text)", at: node.place)
            return nil
        }
        return size
    }

    /// Whether a name can stand in keys of Redis, names of collections, paths and URLs without being quoted.
    func check(name: String, _ what: String, at place: Place?) -> Bool {
        let bytes = Array(name.utf8)
        func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        func isAllowed(_ byte: UInt8) -> Bool {
            isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
        if bytes.count <= 64, let first = bytes.first, isLetter(first), bytes.allSatisfy(isAllowed) { return true }
        report("\(quoted(name)) cannot be the name of a \(what): 1 to 64 letters, digits, _ and -, the first a letter", at: place)
        return false
    }

    /// Names from a list, each known and named once.
    func names(_ node: YAMLNode, _ name: String, _ what: String, known: Set<String>?) -> [String]? {
        if node.isInvalid { return nil }
        guard let elements = node.elements, !elements.isEmpty else {
            report("\(name): must be a list of at least one \(what), found \(node.elements == nil ? node.found : "an empty list")", at: node.place)
            return nil
        }
        var names: [String] = []
        for element in elements {
            guard let text = string(element, name) else { continue }
            if let known, !isKnown(text, what, known, at: element.place) { continue }
            if names.contains(text) {
                report("\(quoted(text)) is named twice", at: element.place)
            } else {
                names.append(text)
            }
        }
        return names
    }

    func isKnown(_ name: String, _ what: String, _ known: Set<String>, at place: Place?) -> Bool {
        if known.contains(name) { return true }
        let names = known.sorted()
        let all = 1...10 ~= names.count ? "there is \(listed(names.map(quoted)))" : nil
        let suggestion = Suggestion.didYouMean(name, among: names) ?? all
        report("unknown \(what) \(quoted(name))", at: place, .unknownName, suggestion: suggestion)
        return false
    }
}
