import Foundation
import Synchronization

/// A time zone as `timezone:` names it: `Europe/Berlin`, or an offset such as `+05:30`.
public struct Zone: Hashable, Sendable {
    private enum Rule: Hashable, Sendable {
        case fixed(seconds: Int64)
        case named(TimeZone)
    }

    /// As it was named.
    public let name: String
    private let rule: Rule

    public static let utc = Zone(name: "UTC", rule: .fixed(seconds: 0))

    private init(name: String, rule: Rule) {
        self.name = name
        self.rule = rule
    }

    /// nil when there is no such zone. Names are told apart by case, as mongod does.
    public init?(_ text: String) {
        if let seconds = Self.offset(text) {
            rule = .fixed(seconds: seconds)
        } else if let zone = Self.zone(named: text) {
            rule = .named(zone)
        } else {
            return nil
        }
        name = text
    }

    /// Seconds east of Greenwich at a time in seconds since 1970.
    public func offset(at seconds: Int64) -> Int64 {
        switch rule {
        case .fixed(let offset): offset
        // The rules stay the same after some hundred years, and the calendar behind them is not made for all of int64.
        case .named(let zone): Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(min(max(seconds, -5_000_000_000_000), 5_000_000_000_000)))))
        }
    }

    /// The time at which the clocks of the zone show so many seconds since 1970, found as timelib does, mongod's library:
    /// what a change of the clocks leaves out is later by as much, and what happens twice is one of the two.
    func time(local: Int64) -> Int64 {
        let first = offset(at: local)
        let second = offset(at: local - first)
        // The clocks went forward between what each of the offsets would give.
        let isBetween = second > first && offset(at: local - second) != second
        return local - (first != second && !isBetween ? second : first)
    }

    /// Seconds of `+hh`, `+hhmm` and `+hh:mm`; mongod does not bound the numbers.
    static func offset(_ text: String) -> Int64? {
        var bytes = Array(text.utf8)
        guard let sign = bytes.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        if bytes.count == 6, bytes[3] == UInt8(ascii: ":") { bytes.remove(at: 3) }
        guard bytes.count == 3 || bytes.count == 5, bytes.dropFirst().allSatisfy({ 48...57 ~= $0 }) else { return nil }
        let digits = bytes.dropFirst().map { Int64($0 - 48) } + [0, 0]
        let minutes = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3]
        return (sign == UInt8(ascii: "-") ? -60 : 60) * minutes
    }

    /// Zones that were found before: looking one up takes longer than asking it.
    private static let found = Mutex<[String: TimeZone]>([:])

    private static func zone(named name: String) -> TimeZone? {
        if let zone = found.withLock({ $0[name] }) { return zone }
        guard isName(name), let zone = TimeZone(identifier: name) else { return nil }
        found.withLock { $0[name] = zone }
        return zone
    }

    /// Foundation also takes abbreviations, which mean different zones to different people, and `GMT+1`, which the zone
    /// database has not.
    private static func isName(_ name: String) -> Bool {
        if name.contains("/") || ["CET", "EET", "EST", "GMT", "GMT+0", "GMT-0", "GMT0", "HST", "MET", "MST", "UTC", "WET"].contains(name) { return true }
        return !name.hasPrefix("GMT") && !name.hasPrefix("UTC") && TimeZone.abbreviationDictionary[name] == nil
    }
}
