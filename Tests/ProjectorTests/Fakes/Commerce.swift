import Events
import Models
import Projector
import Values

/// Two models of the test stream. Between them they make, change, delete and make again, read the document, and meet
/// events that they cannot take.
enum Commerce {
    static let product = BuildID(model: "product", number: 1)
    static let audit = BuildID(model: "audit", number: 3)

    static let builds: [(build: BuildID, fold: EffectFold)] = [(product, productFold), (audit, auditFold)]

    private static let data = Expression.event(name: .data, path: [])

    static let productFold = EffectFold([
        "created": [Effect([.set(path("first"), data), .increment(path("n"), .literal(.init(1)))])],
        "changed": [
            Effect([.push(path("recent"), .one(.event(name: .eventId, path: [])), slice: .literal(.init(-3))), .increment(path("n"), .literal(.init(1)))]),
            Effect([.set(path("was"), .document(path: ["n"])), .maximum(path("most"), data)]),
        ],
        "deleted": [Effect([.delete])],
        // Cannot be taken while there is no such field, and sorts before the others when it can.
        "copied": [Effect([.set(path("a.copy"), .document(path: ["was"])), .unset(path("most"))])],
    ])

    /// Ignores most, and adds nothing that is not a number.
    static let auditFold = EffectFold(["created": [Effect([.increment(path("sum"), data), .set(path("last"), .event(name: .occurredAt, path: []))])]])

    static let types = ["created", "changed", "changed", "deleted", "copied", "unknown"]

    private static func path(_ text: String) -> FieldPath { FieldPath(text.split(separator: ".").map(String.init)) }
}
