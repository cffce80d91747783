import Projector
import Values

/// A crash history as a lease keeps it:
/// `{standings: [{stage, offset, deaths}], attempt: {stage, from, to}, suspect: {stage, from, to, deaths}}`; a stage is
/// `ingest` or a build. What is not there, or cannot be read, is as if nobody had died: nothing rests on it but time.
enum CrashHistoryDocument {
    static func encode(_ history: CrashHistory) -> Value {
        let standings = history.standings.map { (stage: name($0), $1) }.sorted { $0.stage < $1.stage }
        var document: Document = [
            "standings": .array(standings.map { ["stage": .string($0), "offset": .int64($1.offset), "deaths": .int64(Int64($1.deaths))] })
        ]
        if let attempt = history.attempt { document.append("attempt", .document(encode(attempt))) }
        if let suspect = history.suspect {
            var fields = encode(suspect.attempt)
            fields.append("deaths", .int64(Int64(suspect.deaths)))
            document.append("suspect", .document(fields))
        }
        return .document(document)
    }

    static func decode(_ stored: Document?) -> CrashHistory {
        var history = CrashHistory()
        for standing in stored?["standings"]?.asArray?.compactMap(\.asDocument) ?? [] {
            guard let stage = stage(standing), let offset = standing["offset"]?.asInteger, let deaths = standing["deaths"]?.asInteger else { continue }
            history.standings[stage] = .init(offset: offset, deaths: Int(deaths))
        }
        history.attempt = attempt(stored?["attempt"]?.asDocument)
        if let suspect = stored?["suspect"]?.asDocument, let attempt = attempt(suspect), let deaths = suspect["deaths"]?.asInteger {
            history.suspect = .init(attempt: attempt, deaths: Int(deaths))
        }
        return history
    }

    private static func encode(_ attempt: CrashHistory.Attempt) -> Document {
        ["stage": .string(name(attempt.stage)), "from": .int64(attempt.offsets.lowerBound), "to": .int64(attempt.offsets.upperBound)]
    }

    private static func attempt(_ stored: Document?) -> CrashHistory.Attempt? {
        guard let stored, let stage = stage(stored), let from = stored["from"]?.asInteger, let to = stored["to"]?.asInteger, from < to else { return nil }
        return .init(stage: stage, offsets: from..<to)
    }

    private static func name(_ stage: CrashHistory.Stage) -> String {
        switch stage {
        case .ingest: "ingest"
        case .project(let build): build.description
        }
    }

    private static func stage(_ stored: Document) -> CrashHistory.Stage? {
        stored["stage"]?.asString.flatMap { $0 == "ingest" ? .ingest : BuildID($0).map(CrashHistory.Stage.project) }
    }
}
