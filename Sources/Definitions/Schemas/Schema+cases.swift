import Models
import Values

// Files of cases.
extension Schema {
    static let cases = file(
        "Cases of a Millrace model", keys: CaseReader.keys, required: CaseReader.keys,
        ["model": text, "cases": list(of: reference("case"), atLeast: 1)],
        definitions: [
            "case": map(
                keys: CaseReader.caseKeys, required: ["name", "given"],
                [
                    "name": text,
                    "given": map(
                        keys: CaseReader.givenKeys, required: ["events"],
                        [
                            "documents": reference("documents"), "loggedAfter": map(of: duration),
                            "events": [
                                "type": "array", "minItems": 1, "maxItems": Value(integer: Int64(Case.maximumElements)),
                                "items": any(["type": "object"], ["type": "string"]),
                            ],
                        ]),
                    "expect": any(["type": "null"], expectation), "repeatable": boolean, "orders": oneOf(["all"]),
                ]),
            "documents": map(names: ["minLength": 1, "maxLength": 512], of: ["allOf": [["type": "object"], fields]]),
            "event": any(["type": "integer", "minimum": 1], text),
        ]
    )

    /// `_orphan` among them: an orphan is another document than one that is served.
    private static let fields: Value = ["propertyNames": ["not": ["enum": ["_id", "_position", .string(StoredDocument.expiryField)]]]]

    private static let expectation = map(
        keys: CaseReader.expectKeys,
        [
            "documents": reference("documents"), "absent": list(of: text), "ignored": list(of: reference("event")),
            "duplicates": list(of: reference("event")), "held": list(of: reference("event")),
            "parked": list(of: refused), "stopped": refused,
        ])

    private static let refused = map(keys: CaseReader.refusedKeys, required: CaseReader.refusedKeys, ["event": reference("event"), "problem": text])
}
