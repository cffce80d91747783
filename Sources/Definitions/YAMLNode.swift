import Values

/// A node of a YAML file, with the place where it stands.
struct YAMLNode {
    var place: Place
    var content: Content

    enum Content {
        case scalar(Scalar)
        case sequence([YAMLNode])
        case mapping([Member])
        /// Reported already: readers pass over it in silence.
        case invalid
    }

    /// A scalar as it is written, and what it is by the core schema. Quoted ones are strings.
    struct Scalar {
        var text: String
        var value: Value
    }

    /// One entry of a map. Keys are text, whatever they look like; each occurs once in its map.
    struct Member {
        var name: String
        var place: Place
        var value: YAMLNode
    }

    var members: [Member]? { if case .mapping(let members) = content { members } else { nil } }
    var elements: [YAMLNode]? { if case .sequence(let elements) = content { elements } else { nil } }
    var scalar: Scalar? { if case .scalar(let scalar) = content { scalar } else { nil } }
    var isInvalid: Bool { if case .invalid = content { true } else { false } }

    /// What it is, for messages that say what was found.
    var found: String {
        switch content {
        case .sequence: "a list"
        case .mapping: "a map"
        case .invalid: "something else"
        case .scalar(let scalar):
            switch scalar.value {
            case .null: "nothing"
            case .string(let text): quoted(text)
            default: scalar.text
            }
        }
    }
}
