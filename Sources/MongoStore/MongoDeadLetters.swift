import Events
import Projector
import Values

/// Dead letters, for those who look: majority reads, no writes.
public struct MongoDeadLetters: Sendable {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    /// The letter, or nil where there is none.
    public func letter(_ id: DeadLetterID) async throws -> DeadLetter? {
        try await connection.letters(database, ["_id": DeadLetterDocument.id(id)]).first
    }

    /// How many letters the filter finds.
    public func count(_ filter: LetterFilter) async throws -> Int64 {
        var count: Int64 = 0
        for place in filter.places { count += try await connection.countLetters(database, filter.query(place)) }
        return count
    }

    /// The next letters of a place in the order of the log, and of builds at the same offset by their names.
    ///
    /// - Parameter after: only what follows this letter, which need not be there any more.
    public func page(_ filter: LetterFilter, in place: LetterFilter.Place, after: DeadLetterID? = nil, limit: Int) async throws -> [DeadLetter] {
        try await connection.page(database, filter, place, after, limit)
    }

    /// The letters by problem, build and stream: the largest group first.
    public func groups(_ filter: LetterFilter) async throws -> [LetterGroup] {
        var groups: [LetterGroup.Name: LetterGroup] = [:]
        for place in filter.places {
            for group in try await connection.groups(database, filter, place) {
                guard let known = groups[group.name] else {
                    groups[group.name] = group
                    continue
                }
                var both = known
                both.count += group.count
                if group.first.at < known.first.at { both.first = group.first }
                if group.last.at >= known.last.at { both.last = group.last }
                groups[group.name] = both
            }
        }
        return groups.values.sorted { ($1.count, $0.problem.rawValue, $0.first.id.description) < ($0.count, $1.problem.rawValue, $1.first.id.description) }
    }
}

extension LetterGroup {
    fileprivate struct Name: Hashable {
        var problem: Problem
        var build: BuildID?
        var stream: String
    }

    fileprivate var name: Name { Name(problem: problem, build: build, stream: first.partition.stream) }
}

extension MongoConnection {
    fileprivate func countLetters(_ database: String, _ query: Document) throws(MongoError) -> Int64 {
        let reply = try run(database, BSON.encode(["count": .string(Collections.deadLetters), "query": .document(query)]), .read, "count dead letters")
        return reply["n"]?.asInteger ?? 0
    }

    fileprivate func page(
        _ database: String, _ filter: LetterFilter, _ place: LetterFilter.Place, _ after: DeadLetterID?, _ limit: Int
    ) throws -> [DeadLetter] {
        var place = place
        if let after { place.offsets = place.offsets.clamped(to: after.offset..<Int64.max) }
        guard !place.offsets.isEmpty else { return [] }
        let isPassed = { (letter: DeadLetter) in
            guard let after, letter.offset == after.offset else { return false }
            // As MongoDB orders them: null comes first.
            return Value.order(DeadLetterDocument.build(letter.build), DeadLetterDocument.build(after.build)) <= 0
        }
        var letters: [DeadLetter] = []
        // Of the offset that the page begins in the middle of, there are as many letters as builds.
        try find(
            database, Collections.deadLetters, filter.query(place),
            options: [
                "sort": filter.builds?.count == 1 ? ["_id.o": 1] : ["_id.o": 1, "_id.b": 1], "batchSize": .int32(Int32(clamping: min(limit + 1, 1000))),
            ], "list dead letters"
        ) { bytes in
            guard letters.count < limit else { return false }
            let letter = try DeadLetterDocument.decode(Document(bson: bytes))
            if !isPassed(letter) { letters.append(letter) }
            return letters.count < limit
        }
        return letters
    }

    fileprivate func groups(_ database: String, _ filter: LetterFilter, _ place: LetterFilter.Place) throws -> [LetterGroup] {
        let command: Document = [
            "aggregate": .string(Collections.deadLetters),
            "pipeline": [
                ["$match": .document(filter.query(place))],
                [
                    "$group": [
                        "_id": ["problem": "$problem", "b": "$_id.b"], "n": ["$sum": 1], "first": ["$min": "$_id.o"], "last": ["$max": "$_id.o"],
                    ]
                ],
            ],
            // Problems and builds are few.
            "cursor": ["batchSize": 10_000],
        ]
        let reply = try run(database, BSON.encode(command), .read, "group dead letters")
        return try (reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap(\.asDocument) ?? []).compactMap { group in
            guard let name = group["_id"]?.asDocument, let problem = name["problem"]?.asString, let count = group["n"]?.asInteger,
                let first = group["first"]?.asInteger, let last = group["last"]?.asInteger
            else { return nil }
            let build = name["b"]?.asString.flatMap(BuildID.init)
            let ids = [first, last].map { DeadLetterDocument.id(DeadLetterID(build: build, partition: place.partition, offset: $0)) }
            let ends = try letters(database, ["_id": ["$in": .array(ids)]])
            // What was settled meanwhile is no example.
            guard let earliest = ends.min(by: { $0.offset < $1.offset }), let latest = ends.max(by: { $0.offset < $1.offset }) else { return nil }
            return LetterGroup(problem: Problem(rawValue: problem), build: build, count: count, first: earliest, last: latest)
        }
    }
}
