import Events
import Models

/// Names of the language that stand in one kind of place: what is supported, what only will be, and what never can be.
struct Vocabulary {
    /// What it is called, for messages.
    var kind: String
    var supported: [String]
    var later: [String] = []
    /// Why each cannot be had.
    var refused: [String: String] = [:]

    /// Reports a name that cannot be used.
    func report(_ name: String, at place: Place, _ findings: Findings, suggestion: String? = nil) {
        if supported.contains(name) {
            findings.report("\(name) has no place here", at: place, suggestion: suggestion)
        } else if later.contains(name) {
            findings.report("\(name) is not supported yet", at: place, .notSupportedYet)
        } else if let reason = refused[name] {
            findings.report("\(name) is refused: \(reason)", at: place)
        } else {
            let known = supported + later
            findings.report(
                "unknown \(kind) \(quoted(name))", at: place, .unknownName,
                suggestion: Suggestion.didYouMean(name, among: known) ?? suggestion ?? "known here: \(listed(supported))"
            )
        }
    }
}

extension Vocabulary {
    private static let clock = "a fold must give the same at every time, and this reads the clock; the event's own time is $occurredAt"
    private static let chance = "a fold must give the same every time, and this is chance"
    private static let several = "it is computed over several documents, and a fold has one"
    private static let queries = "it belongs to queries, and a fold has none"
    private static let timestamp = "no event holds a timestamp of MongoDB's log; a time is a date, of which $toLong gives the milliseconds"
    private static let document = "write $$doc for the document as it was before the effect, or $data and the like for the event"
    private static let code = "a fold is data, and this runs JavaScript in the server"

    static let updateOperators = Vocabulary(
        kind: "update operator",
        supported: [
            "$set", "$unset", "$inc", "$mul", "$min", "$max", "$rename", "$setOnInsert", "$push", "$addToSet", "$pull", "$pullAll", "$pop", "$bit",
            "$delete", "$upsert", "$contribute",
        ],
        refused: ["$currentDate": clock]
    )

    /// Keys of an effect beside its operators.
    static let effectKeys = Vocabulary(
        kind: "key of an effect", supported: ["let", "arrayFilters", "when", "create"], later: ["key", "keys", "match", "lookup", "max"]
    )

    static let pushModifiers = Vocabulary(kind: "modifier of $push", supported: ["$each", "$slice", "$sort", "$position"])
    static let setModifiers = Vocabulary(kind: "modifier of $addToSet", supported: ["$each"])

    static let predicates = Vocabulary(
        kind: "predicate", supported: ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$not", "$elemMatch", "$and", "$or"],
        refused: ["$where": code, "$expr": "an element is tested by its members, and a value is computed outside of $pull and arrayFilters"]
    )

    static let variables = Vocabulary(
        kind: "variable", supported: ["$$doc", "$$REMOVE"],
        refused: [
            "$$NOW": clock, "$$CLUSTER_TIME": clock, "$$ROOT": document, "$$CURRENT": document, "$$DESCEND": queries, "$$PRUNE": queries, "$$KEEP": queries,
            "$$SEARCH_META": queries,
        ]
    )

    /// Of groups and windows alone: the others are also operators of one document.
    private static let accumulators = [
        "$addToSet", "$bottom", "$bottomN", "$count", "$covariancePop", "$covarianceSamp", "$denseRank", "$derivative", "$documentNumber", "$expMovingAvg",
        "$integral", "$linearFill", "$locf", "$push", "$rank", "$shift", "$top", "$topN",
    ]

    /// The pure operators of MongoDB 6.0's aggregation language.
    static let expressionOperators = Vocabulary(
        kind: "expression operator",
        supported: ["$literal"] + ExpressionOperator.all.keys.sorted(),
        refused: [
            "$rand": chance, "$sampleRate": chance, "$function": code, "$accumulator": code, "$where": code, "$meta": queries, "$tsSecond": timestamp,
            "$tsIncrement": timestamp,
        ].merging(accumulators.map { ($0, several) }) { $1 }
    )
}
