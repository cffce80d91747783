import Projector
import Schedules
import Values

// Jobs: what else a file may say depends on its kind.
extension Schema {
    static let job: Value = {
        let kinds = JobReader.kinds.map { kind -> Value in
            var shape = root(keys: JobReader.keys + kind.keys, required: ["job"] + (required[kind.name] ?? []), known(of: kind.name))
            if kind.keys.contains("cron") { shape = all(shape, when) }
            if kind.name == "prune" { shape = all(shape, Self.accepted) }
            return ["if": ["properties": ["job": ["const": .string(kind.name)]], "required": ["job"]], "then": shape]
        }
        return [
            "$schema": draft, "title": "A job of Millrace", "type": "object", "properties": ["job": oneOf(JobReader.kinds.map(\.name))],
            "required": ["version", "job"], "allOf": .array(kinds),
        ]
    }()

    /// More than 0 %, and 100 % at most.
    private static let part = "^(?!0*\\.?0*%)([0-9]{1,2}(\\.[0-9]*)?|\\.[0-9]+|100(\\.0*)?)%$"
    private static let required = ["bridge": ["from", "to"], "command": ["run"], "rebuild": ["models"]]

    private static func known(of kind: String) -> [String: Value] {
        var known: [String: Value] = [
            "job": oneOf([kind]), "enabled": boolean, "streams": list(of: text, atLeast: 1), "poll": duration, "every": duration,
            "from": list(of: text, atLeast: 1), "to": text, "group": text, "trim": boolean, "run": list(of: text, atLeast: 1),
            "models": list(of: text, atLeast: 1), "repair": boolean, "sample": text(part), "maxChange": integer(JobDefinition.countRange),
            "throttle": integer(JobDefinition.rateRange), "truth": oneOf(Drift.Truth.allCases.map(\.rawValue)), "alertAbove": integer(JobDefinition.countRange),
            "acceptNoRebuild": boolean, "fromSource": boolean,
            "at": oneOf(JobDefinition.Snapshot.Moment.allCases.map(\.rawValue)),
            "keep": kind == "snapshot" ? integer(JobDefinition.keptSnapshotsRange) : duration,
        ]
        let timetable: [String: Value] = [
            "cron": text("^[ \\t]*([^ \\t]+[ \\t]+){4}[^ \\t]+[ \\t]*$"), "timezone": text, "jitter": duration, "timeout": duration,
            "overlap": oneOf(Timetable.Overlap.allCases.map(\.rawValue)), "missed": oneOf(Timetable.Missed.allCases.map(\.rawValue)),
            "retries": integer(JobDefinition.retriesRange),
        ]
        known.merge(timetable) { $1 }
        return known
    }

    /// That nobody needs to build from what a prune removes.
    private static let accepted = any(
        ["required": ["acceptNoRebuild"], "properties": ["acceptNoRebuild": ["const": true]]],
        ["required": ["fromSource"], "properties": ["fromSource": ["const": true]]])

    /// `every:` or `cron:`, and a time zone for the latter alone.
    private static let when: Value = [
        "oneOf": [["required": ["every"], "not": ["required": ["timezone"]]], ["required": ["cron"]]]
    ]
}
