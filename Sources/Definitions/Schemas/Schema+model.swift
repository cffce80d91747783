import Events
import Models
import Values

// Files of models.
extension Schema {
    static let model = file(
        "A Millrace model", keys: ModelReader.keys, required: ["model", "stream", "fold"],
        [
            "model": all(name, ["not": text("^(millrace|system)")]), "stream": text, "onError": oneOf(ErrorPolicy.allCases.map(\.rawValue)),
            "unknown": oneOf(["ignore", "park"]), "ttl": duration,
            "fold": [
                "type": "object", "minProperties": 1, "propertyNames": ["type": "string", "minLength": 1, "maxLength": 256, "not": text("^[$]")],
                "additionalProperties": any(reference("effect"), list(of: reference("effect"), atLeast: 1)),
            ],
            "root": any(text, list(of: text, atLeast: 1)), "derive": map(names: reference("path"), of: reference("expression"), atLeast: 1),
            "defaults": map(names: ["not": oneOf(FieldPath.reserved.sorted())], of: reference("expression"), atLeast: 1),
            "private": list(of: reference("path"), atLeast: 1), "indexes": indexes, "source": source,
            "read": map(keys: ModelReader.readKeys, ["from": oneOf(ModelReader.readPlaces), "maxStaleness": duration]),
            "cache": map(keys: ModelReader.cacheKeys, ["fields": list(of: reference("path"), atLeast: 1), "maxAge": duration, "maxBytes": size]),
        ],
        definitions: [
            "effect": effect, "expression": expression, "open": open, "path": path, "test": test, "condition": condition, "members": members, "order": order,
            "upsert": upsert,
        ]
    )

    // MARK: Effects

    private static let effect: Value = {
        let keys = Vocabulary.effectKeys.supported
        let operators = Vocabulary.updateOperators.supported
        let known: [String: Value] = [
            "let": map(of: reference("expression"), atLeast: 1), "when": reference("expression"), "create": boolean,
            "arrayFilters": list(of: all(reference("members"), ["minProperties": 1]), atLeast: 1), "$delete": ["const": true],
        ]
        let shape = map(keys: keys + operators, known.merging(operators.filter { $0 != "$delete" }.map { ($0, fields(of: $0)) }) { $1 })
        return all(
            shape,
            // Something besides the keys that stand beside operators.
            ["not": ["propertyNames": oneOf(keys)]],
            ["if": ["required": ["$delete"]], "then": ["propertyNames": oneOf(["$delete", "let", "when", "create"])]]
        )
    }()

    private static func fields(of name: String) -> Value { map(names: reference("path"), of: operand(of: name), atLeast: 1) }

    /// What stands under a path of an operator. One that is not named here may hold anything.
    private static func operand(of name: String) -> Value {
        switch name {
        case "$set", "$min", "$max", "$setOnInsert": reference("expression")
        case "$inc", "$mul": any(["type": "number"], reference("open"))
        case "$unset": oneOf(["", true, 1] as [Value])
        case "$rename": reference("path")
        case "$push": any(modifiers(Vocabulary.pushModifiers), reference("expression"))
        case "$addToSet": any(modifiers(Vocabulary.setModifiers), reference("expression"))
        case "$pop": any(oneOf([1, -1] as [Value]), reference("open"))
        case "$pull": ["if": ["type": "object", "not": ["required": ["$literal"]]], "then": reference("condition"), "else": reference("expression")]
        case "$pullAll": any(list(of: reference("expression")), reference("open"))
        case "$bit": map(names: oneOf(BitOperation.allCases.map(\.rawValue)), of: any(["type": "integer"], reference("open")), atLeast: 1)
        case "$upsert": reference("upsert")
        case "$contribute": all(contribution, .document(["anyOf": .array(sums.map { ["required": [.string($0)]] })]))
        default: anything
        }
    }

    private static let sums = Operator.Sum.allCases.map(\.rawValue)

    private static let contribution = map(
        keys: ["by", "remove"] + sums, required: ["by"],
        Dictionary((["by", "remove"] + sums).map { ($0, $0 == Operator.Sum.count.rawValue ? ["const": true] : reference("expression")) }) { $1 })

    private static func modifiers(_ vocabulary: Vocabulary) -> Value {
        let each = any(list(of: reference("expression")), reference("open"))
        let whole = any(["type": "integer"], reference("open"))
        return map(keys: vocabulary.supported, required: ["$each"], ["$each": each, "$slice": whole, "$position": whole, "$sort": reference("order")])
    }

    private static let order: Value = any(oneOf([1, -1] as [Value]), map(of: oneOf([1, -1] as [Value]), atLeast: 1))

    private static let upsert = map(
        keys: ["where", "set", "sort"], required: ["where"],
        [
            "where": map(names: text("^[^$.][^.]*$"), of: reference("expression"), atLeast: 1), "sort": reference("order"),
            "set": [
                "type": "object", "minProperties": 1, "properties": ["$upsert": map(names: reference("path"), of: reference("upsert"))],
                "propertyNames": any(["const": "$upsert"], reference("path")), "additionalProperties": reference("expression"),
            ],
        ])

    // MARK: Predicates

    /// Tests of one value, as in `{ $gte: 5 }`.
    private static let test: Value = {
        let values = any(list(of: reference("expression")), reference("open"))
        let names = Vocabulary.predicates.supported.filter { !["$and", "$or"].contains($0) }
        let known: [String: Value] = [
            "$exists": boolean, "$in": values, "$nin": values, "$not": reference("test"), "$elemMatch": ["type": "object"],
        ]
        let shape = map(keys: names, Dictionary(names.map { ($0, known[$0] ?? reference("expression")) }) { $1 })
        return all(shape, ["minProperties": 1])
    }()

    /// An object that has one of these names.
    private static func has(_ names: [String]) -> Value { ["type": "object", "not": ["propertyNames": ["not": oneOf(names)]]] }

    /// Names and what is asked of their values.
    private static let members: Value = {
        let parts = list(of: reference("members"), atLeast: 1)
        return [
            "type": "object", "properties": ["$and": parts, "$or": parts],
            "patternProperties": ["^[^$]": ["if": has(Vocabulary.predicates.supported), "then": reference("test"), "else": reference("expression")]],
            "additionalProperties": false,
        ]
    }()

    /// Tests, or members with values and tests of theirs.
    private static let condition: Value = [
        "if": has(Vocabulary.predicates.supported.filter { !["$and", "$or"].contains($0) }), "then": reference("test"), "else": reference("members"),
    ]

    // MARK: Expressions

    /// What only an event can show the value of: a path, or an operator.
    private static let open: Value = all(
        reference("expression"), any(text("^[$]"), ["type": "object", "patternProperties": ["^[^$]": false], "minProperties": 1]))

    private static let expression: Value = {
        let names = Vocabulary.expressionOperators.supported
        let variables = Vocabulary.variables.supported.map { String($0.dropFirst(2)) }.joined(separator: "|")
        let path = "([.][^.$][^.]*)*$"
        let hidden = "(?!doc[.](\(StoredDocument.hiddenFields.joined(separator: "|")))([.]|$))"
        let string = "^(?![$])|^[$](\(Event.MemberName.all.joined(separator: "|")))\(path)|^[$][$]\(hidden)(\(variables)|[^A-Z0-9_$.][^.]*)\(path)"
        let operation: Value = [
            "maxProperties": 1, "propertyNames": oneOf(names),
            "properties": ["$literal": true], "additionalProperties": reference("expression"),
        ]
        // Fields to sort by have dots in their names.
        let object: Value = [
            "properties": ["sortBy": true],
            "propertyNames": text("^[^.$][^.]*$"), "additionalProperties": reference("expression"),
        ]
        return any(
            ["type": ["null", "boolean", "number"]], text(string), list(of: reference("expression")),
            ["type": "object", "if": ["minProperties": 1, "propertyNames": text("^[$]")], "then": operation, "else": object]
        )
    }()

    // MARK: Source of truth

    private static let source: Value = {
        let collection = map(
            keys: SourceReader.collectionKeys, required: ["name"],
            ["database": text, "name": text, "pipeline": list(of: ["type": "object", "minProperties": 1, "maxProperties": 1])])
        let expressions = Dictionary(SourceReader.eventKeys.map { ($0, reference("expression")) }) { $1 }
        let shape = map(
            keys: SourceReader.keys, required: ["event"],
            [
                "command": list(of: text, atLeast: 1), "file": text, "collection": any(text, collection), "settle": duration,
                "event": map(keys: SourceReader.eventKeys, required: ["type", "key"], expressions),
            ])
        return all(shape, .document(["oneOf": .array(SourceReader.origins.map { ["required": [.string($0)]] })]))
    }()

    // MARK: Indexes

    private static let indexes: Value = {
        var index = map(names: any(reference("path"), oneOf(["_id"])), of: oneOf([1, -1] as [Value]), atLeast: 1).asDocument ?? Document()
        index.append("maxProperties", Value(integer: Int64(DocumentIndex.mostFields)))
        index.append("not", ["maxProperties": 1, "required": ["_id"]])
        var indexes = list(of: .document(index), atLeast: 1).asDocument ?? Document()
        indexes.append("maxItems", Value(integer: Int64(DocumentIndex.mostIndexes)))
        return .document(indexes)
    }()

    // MARK: Paths

    /// Parts that are not empty and do not begin with a dollar, but for `$[name]` and computed names; what Millrace sets
    /// itself does not come first.
    private static let path: Value = {
        let reserved = FieldPath.reserved.sorted().joined(separator: "|")
        return text("^(?!(\(reserved))([.]|$))(?![$][\\[])(?!.*([.]|^)[$](?![\\[{]))(?!.*[.][.])(?![.])(?!.*[.]$).+$")
    }()
}
