import Events
import Models

/// Reads `arrayFilters:` of an effect: `[ { option.id: $data.id }, { score.value: { $gte: 5 } } ]`.
struct FilterReader {
    let expressions: ExpressionReader

    private var findings: Findings { expressions.findings }

    /// The filters, or nil after something was reported.
    func read(_ node: YAMLNode) -> [(filter: ArrayFilter, place: Place)]? {
        guard let nodes = node.elements, !nodes.isEmpty else {
            if !node.isInvalid {
                let example = "such as [ { option.id: $data.id } ]"
                findings.report("arrayFilters: must be a list of conditions, found \(node.found)", at: node.place, suggestion: example)
            }
            return nil
        }
        var filters: [(filter: ArrayFilter, place: Place)] = []
        for node in nodes {
            guard let filter = filter(node) else { continue }
            if filters.contains(where: { $0.filter.name == filter.name }) {
                findings.report("arrayFilters: \(filter.name) has two conditions", at: node.place, suggestion: "write them into one map")
            } else {
                filters.append((filter, node.place))
            }
        }
        return filters.count == nodes.count ? filters : nil
    }

    /// Reports the filters that no path names, and the names that no filter has.
    func check(_ filters: [(filter: ArrayFilter, place: Place)], _ paths: [(path: FieldPath, place: Place)]) -> Bool {
        let names = filters.map(\.filter.name)
        var isGood = true
        var used: [String] = []
        for (path, place) in paths {
            for name in path.placeholders where !name.isEmpty {
                used.append(name)
                if names.contains(name) { continue }
                isGood = false
                findings.report(
                    "the path \(quoted(path.description)): there is no array filter \(quoted(name))", at: place, .unknownName,
                    suggestion: Suggestion.didYouMean(name, among: names) ?? "write arrayFilters: [ { \(name): … } ] beside the operators"
                )
            }
        }
        for (filter, place) in filters where !used.contains(filter.name) {
            isGood = false
            findings.report("arrayFilters: no path has $[\(filter.name)] in it", at: place, suggestion: "leave the filter out")
        }
        return isGood
    }

    private func filter(_ node: YAMLNode) -> ArrayFilter? {
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid { findings.report("an array filter must be a map of names and conditions, found \(node.found)", at: node.place) }
            return nil
        }
        guard let named = PredicateReader(findings: findings, value: expressions.read).members(members) else { return nil }
        let names = named.names
        guard let name = names.first, names.allSatisfy({ $0 == name }) else {
            findings.report("an array filter has one name, found \(listed(names.map(quoted)))", at: node.place, suggestion: "write one map for each name")
            return nil
        }
        guard PathReader.isFilterName(name) else {
            findings.report("the array filter \(quoted(name)) cannot be named in a path", at: node.place, suggestion: PathReader.filterNames)
            return nil
        }
        return ArrayFilter(name, named.unnamed)
    }
}

extension Predicate {
    /// What the paths begin with, each once.
    fileprivate var names: [String] {
        let all =
            switch self {
            case .member(let path, _): Array(path.prefix(1))
            case .all(let parts), .any(let parts): parts.flatMap(\.names)
            case .not(let part): part.names
            }
        return all.enumerated().filter { all.firstIndex(of: $0.element) == $0.offset }.map(\.element)
    }

    /// The same without the beginnings of the paths.
    fileprivate var unnamed: Self {
        switch self {
        case .member(let path, let test): .member(Array(path.dropFirst()), test)
        case .all(let parts): .all(parts.map(\.unnamed))
        case .any(let parts): .any(parts.map(\.unnamed))
        case .not(let part): .not(part.unnamed)
        }
    }
}
