import Models
import Projector
import Reads
import Values

/// What is shown of a model's documents.
struct Shown {
    var mask: FieldMask
    /// Differs where what is shown does.
    private var maskTag: String
    /// The fields that are needed for it; nil for all.
    var names: [String]?

    /// - Parameter fields: paths that are asked for; nil for all that readers see.
    init(_ fields: [[String]]?, of model: ReadModel) {
        (mask, maskTag) = (model.mask, model.maskTag)
        guard let fields else { return }
        mask = mask.intersection(.only([["_id"]] + fields))
        (maskTag, names) = (String(mask.tag, radix: 36), mask.names)
    }

    /// An entity tag, of what the document was made by and of what is shown of it.
    func tag(of document: ReadDocument, _ answer: LookupAnswer) -> String {
        let position = document.position
        return "\"\(answer.build.number).\(answer.generation).\(position.partition).\(position.offset).\(maskTag)\""
    }
}

enum EntityTag {
    /// Whether fields of `If-None-Match` name a tag (RFC 9110, 13.1.2).
    static func matches(_ given: [String], _ tag: String) -> Bool {
        given.contains { field in
            field.split(separator: ",").contains { part in
                let text = part.drop { $0 == " " }
                return text == "*" || (text.hasPrefix("W/") ? text.dropFirst(2) : text).prefix { $0 != " " } == tag
            }
        }
    }
}
