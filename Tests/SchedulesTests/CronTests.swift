import Fixtures
import Models
import Testing
import Values

@testable import Schedules

@Suite struct CronTests {
    private func next(_ line: String, _ zone: String = "UTC", after time: String, count: Int = 1) throws -> [String] {
        let cron = try Cron(line, in: try #require(Zone(zone)))
        var times: [String] = []
        var time = try #require(DateTime.parse(time))
        while times.count < count, let next = cron.next(after: time) {
            times.append(String(DateTime.format(milliseconds: next).dropLast(":00.000Z".count)))
            time = next
        }
        return times
    }

    struct Line: Sendable {
        var line: String
        var next: [String]

        init(_ line: String, _ next: String...) { (self.line, self.next) = (line, next) }
    }

    /// From 2026-11-21T10:17:30Z on, a Saturday.
    static let lines = [
        Line("* * * * *", "2026-11-21T10:18", "2026-11-21T10:19"),
        Line("*/20 * * * *", "2026-11-21T10:20", "2026-11-21T10:40", "2026-11-21T11:00"),
        Line("5/20 * * * *", "2026-11-21T10:25", "2026-11-21T10:45", "2026-11-21T11:05"),
        Line("0 9-17/4 * * *", "2026-11-21T13:00", "2026-11-21T17:00", "2026-11-22T09:00"),
        Line("15,45 3 * * *", "2026-11-22T03:15", "2026-11-22T03:45", "2026-11-23T03:15"),
        Line("17 10 * * *", "2026-11-22T10:17"),
        Line("0 0 1 jan *", "2027-01-01T00:00", "2028-01-01T00:00"),
        Line("0 0 * FEB-apr/2 *", "2027-02-01T00:00"),
        Line("0 0 29 2 *", "2028-02-29T00:00", "2032-02-29T00:00"),
        Line("0 12 * * mon-wed,5", "2026-11-23T12:00", "2026-11-24T12:00", "2026-11-25T12:00", "2026-11-27T12:00"),
        Line("0 12 * * 7", "2026-11-22T12:00", "2026-11-29T12:00"),
        Line("0 12 * * 0", "2026-11-22T12:00", "2026-11-29T12:00"),
        Line("0 12 * * sat-sun", "2026-11-21T12:00", "2026-11-22T12:00", "2026-11-28T12:00"),
        // Either of the two days, unless one begins with *.
        Line("0 0 24 * tue", "2026-11-24T00:00", "2026-12-01T00:00", "2026-12-08T00:00"),
        Line("0 0 */2 * tue", "2026-12-01T00:00", "2026-12-15T00:00"),
        Line("0 0 31 * *", "2026-12-31T00:00", "2027-01-31T00:00", "2027-03-31T00:00"),
    ]

    @Test(arguments: lines) func `the next times are those that the line names`(line: Line) throws {
        #expect(try next(line.line, after: "2026-11-21T10:17:30Z", count: line.next.count) == line.next)
    }

    @Test func `a time is the zone's`() throws {
        #expect(try next("30 2 * * *", "Asia/Seoul", after: "2026-11-21T10:00:00Z") == ["2026-11-21T17:30"])
        #expect(try next("0 0 1 * *", "America/New_York", after: "2026-11-21T10:00:00Z", count: 2) == ["2026-12-01T05:00", "2027-01-01T05:00"])
        #expect(try next("0 0 * * mon", "+05:30", after: "2026-11-21T10:00:00Z") == ["2026-11-22T18:30"])
    }

    @Test(arguments: [
        ("UTC", "2026-11-21T10:17:30.5Z", "2026-11-01T00:00:00.000Z"), ("UTC", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00.000Z"),
        ("UTC", "2026-11-30T23:59:59.999Z", "2026-11-01T00:00:00.000Z"), ("Asia/Seoul", "2026-11-30T15:00:00Z", "2026-11-30T15:00:00.000Z"),
        ("Asia/Seoul", "2026-11-30T14:59:59Z", "2026-10-31T15:00:00.000Z"), ("America/New_York", "2027-01-01T04:00:00Z", "2026-12-01T05:00:00.000Z"),
        // The clocks went back within the month.
        ("Europe/Berlin", "2026-10-31T22:59:59Z", "2026-09-30T22:00:00.000Z"), ("Europe/Berlin", "2026-10-31T23:00:00Z", "2026-10-31T23:00:00.000Z"),
    ]) func `a month begins by the clocks of a zone`(name: String, time: String, start: String) throws {
        let zone = try #require(Zone(name))
        #expect(DateTime.format(milliseconds: zone.monthStart(at: try #require(DateTime.parse(time)))) == start)
    }

    /// Berlin, 2026-03-29: at 01:00 UTC the clocks go from 02:00 to 03:00.
    @Test func `a time that the clocks leave out runs once, when they have passed over it`() throws {
        #expect(
            try next("30 2 * * *", "Europe/Berlin", after: "2026-03-28T00:00:00Z", count: 3) == ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"])
        // With the runs that it falls together with.
        #expect(
            try next("*/30 * * * *", "Europe/Berlin", after: "2026-03-29T00:15:00Z", count: 3) == ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"])
        #expect(
            try next("0 * * * *", "Europe/Berlin", after: "2026-03-28T23:30:00Z", count: 3) == ["2026-03-29T00:00", "2026-03-29T01:00", "2026-03-29T02:00"])
    }

    /// Berlin, 2026-10-25: at 01:00 UTC the clocks go from 03:00 back to 02:00.
    @Test func `a time that the clocks show twice runs the first time`() throws {
        #expect(
            try next("30 2 * * *", "Europe/Berlin", after: "2026-10-24T00:00:00Z", count: 3) == ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"])
        // Asked between the two.
        #expect(try next("30 2 * * *", "Europe/Berlin", after: "2026-10-25T00:45:00Z") == ["2026-10-26T01:30"])
        #expect(
            try next("0 2,3 * * *", "Europe/Berlin", after: "2026-10-24T12:00:00Z", count: 3) == ["2026-10-25T00:00", "2026-10-25T02:00", "2026-10-26T01:00"])
    }

    @Test func `also in the south, by half an hour, and over the year`() throws {
        // Lord Howe: forward by 30 minutes at 2026-10-03T15:30Z, back at 2026-04-04T15:00Z.
        #expect(try next("15 2 * * *", "Australia/Lord_Howe", after: "2026-10-02T20:00:00Z", count: 2) == ["2026-10-03T15:30", "2026-10-04T15:15"])
        #expect(try next("45 1 * * *", "Australia/Lord_Howe", after: "2026-04-04T00:00:00Z", count: 2) == ["2026-04-04T14:45", "2026-04-05T15:15"])
        // Samoa left a whole day out: 2011-12-30.
        #expect(try next("0 12 30 12 *", "Pacific/Apia", after: "2011-01-01T00:00:00Z", count: 2) == ["2011-12-30T10:00", "2012-12-29T22:00"])
    }

    /// Whatever the clocks do, every local time that a day names runs once: counted day by day.
    @Test func `no day of many years has more or fewer runs than its line names`() throws {
        for name in ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"] {
            let zone = try #require(Zone(name))
            let cron = try Cron("30 2 * * *", in: zone)
            var time = try #require(DateTime.parse("2005-01-01T12:00:00Z"))
            var days: [Int64] = []
            for _ in 0..<(365 * 12) {
                let next = try #require(cron.next(after: time))
                #expect(next > time)
                time = next
                days.append((next / 1000 + zone.offset(at: next / 1000)).floored(by: 86_400).quotient)
            }
            #expect(zip(days, days.dropFirst()).allSatisfy { $1 == $0 + 1 }, "\(name)")
        }
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8", "* * * foo *", "*/0 * * * *",
        "5-1 * * * *", "1,,2 * * * *", "1- * * * *", "-1 * * * *", "a * * * *", "* * 30 2 *", "*/ * * * *", "1/2/3 * * * *", "* * * * mon-",
        "100000000000000000000 * * * *",
    ])
    func `what is no cron line is refused`(line: String) {
        #expect(throws: CronMistake.self) { try Cron(line, in: .utc) }
    }
}
