import Testing
import Values

@testable import Schedules

@Suite struct TimetableTests {
    @Test func `every so often is at its multiples, whoever asks and whenever`() {
        let schedule = Schedule.every(.seconds(3600))
        #expect(schedule.next(after: 0) == 3_600_000)
        #expect(schedule.next(after: 3_599_999) == 3_600_000)
        #expect(schedule.next(after: 3_600_000) == 7_200_000)
        #expect(schedule.next(after: -1) == 0)
    }

    @Test func `jitter is a part of its length, and the same for whoever asks`() throws {
        var timetable = Timetable(.every(.seconds(3600)))
        timetable.jitter = .seconds(600)
        let due = (0..<1000).compactMap { timetable.due(after: Int64($0) * 3_600_000, of: "a") }
        #expect(due == (0..<1000).compactMap { timetable.due(after: Int64($0) * 3_600_000, of: "a") })
        let delays = due.enumerated().map { $1 - Int64($0 + 1) * 3_600_000 }
        #expect(delays.allSatisfy { 0..<600_000 ~= $0 })
        // Spread over all of it.
        #expect((0..<6).allSatisfy { part in delays.count { $0 / 100_000 == Int64(part) } > 100 }, "\(delays.prefix(20))")
        #expect(due != (0..<1000).compactMap { timetable.due(after: Int64($0) * 3_600_000, of: "b") })
        timetable.jitter = .zero
        #expect(timetable.due(after: 5, of: "a") == 3_600_000)
    }
}
