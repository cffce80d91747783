import Models
import Schedules
import Values

/// Reads when a job runs: `every:` or `cron:`, and what becomes of runs that do not go as planned.
struct TimetableReader {
    static let keys = ["every", "cron", "timezone", "jitter", "timeout", "overlap", "missed", "retries"]

    let findings: Findings

    func read(_ section: Section) -> Timetable? {
        guard var timetable = schedule(section).map(Timetable.init) else { return nil }
        if let node = section["jitter"] { timetable.jitter = findings.duration(node, "jitter", in: JobDefinition.jitterRange) ?? timetable.jitter }
        if let node = section["timeout"] { timetable.timeout = findings.duration(node, "timeout", in: JobDefinition.timeoutRange) }
        if let node = section["overlap"] { timetable.overlap = findings.choice(node, "overlap") ?? timetable.overlap }
        if let node = section["missed"] { timetable.missed = findings.choice(node, "missed") ?? timetable.missed }
        if let node = section["retries"] { timetable.retries = findings.integer(node, "retries", in: JobDefinition.retriesRange) ?? timetable.retries }
        return timetable
    }

    private func schedule(_ section: Section) -> Schedule? {
        switch (section["every"], section["cron"]) {
        case (nil, nil): findings.report("every: or cron: is missing", at: section.place, suggestion: "write every: 1h, or cron: \"30 2 * * *\"")
        case (_?, let cron?): findings.report("cron: and every: cannot both be said", at: cron.place)
        case (let every?, nil):
            if let zone = section["timezone"] { findings.report("timezone: is for cron:", at: zone.place) }
            return findings.duration(every, "every", in: JobDefinition.everyRange).map(Schedule.every)
        case (nil, let cron?):
            guard let text = findings.string(cron, "cron", suggestion: "write it in quotes: \"30 2 * * *\""), let zone = zone(section["timezone"]) else {
                return nil
            }
            do throws(CronMistake) {
                return .cron(try Cron(text, in: zone))
            } catch {
                findings.report("cron: \(error.message)", at: cron.place)
            }
        }
        return nil
    }

    private func zone(_ node: YAMLNode?) -> Zone? {
        guard let node else { return .utc }
        guard let name = findings.string(node, "timezone") else { return nil }
        if let zone = Zone(name) { return zone }
        findings.report("timezone: there is no time zone \(quoted(name))", at: node.place, suggestion: "write one such as Europe/Berlin or +09:00")
        return nil
    }
}
