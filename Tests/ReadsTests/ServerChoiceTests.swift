import Reads
import Testing

@Suite struct ServerChoiceTests {
    private static let primary = ReadServer(name: "p", isPrimary: true, lastWrite: 100_000)
    private static let near = ReadServer(name: "a", isPrimary: false, lastWrite: 100_000)
    private static let other = ReadServer(name: "b", isPrimary: false, lastWrite: 99_000)
    private static let all = [primary, near, other]
    private static let place = ReadPlace.secondary(maxStaleness: .seconds(90))
    private let now = ContinuousClock.now

    /// The value in a box, so that expectations can ask it.
    private final class Box {
        var choice = ServerChoice()
        func server(for place: ReadPlace, among servers: [ReadServer], at now: ContinuousClock.Instant) -> ReadServer? {
            choice.server(for: place, among: servers, at: now)
        }
    }

    @Test func `it stays with one secondary, and moves when that fails`() throws {
        let choice = Box()
        let first = try #require(choice.server(for: Self.place, among: Self.all, at: now))
        #expect(!first.isPrimary)
        for _ in 0..<50 { #expect(choice.server(for: Self.place, among: Self.all, at: now) == first) }
        choice.choice.failed(first, at: now)
        let second = try #require(choice.server(for: Self.place, among: Self.all, at: now))
        #expect(!second.isPrimary && second != first)
        // And does not go back, which might be further behind.
        #expect(choice.server(for: Self.place, among: Self.all, at: now + .seconds(60)) == second)
    }

    @Test func `both secondaries are chosen by someone`() {
        let chosen = Set(
            (0..<100).map { _ in
                let choice = Box()
                return choice.server(for: Self.place, among: Self.all, at: now)?.name
            })
        #expect(chosen == ["a", "b"])
    }

    @Test func `one that is too far behind is not asked`() {
        var behind = Self.near
        behind.lastWrite = 9_999
        for _ in 0..<50 {
            let choice = Box()
            #expect(choice.server(for: Self.place, among: [Self.primary, behind, Self.other], at: now) == Self.other)
            #expect(choice.server(for: .secondary(maxStaleness: .milliseconds(500)), among: [Self.primary, behind, Self.other], at: now) == Self.primary)
        }
    }

    @Test func `without a secondary the primary does it, and without a primary whoever is there`() {
        let choice = Box()
        #expect(choice.server(for: Self.place, among: [Self.primary], at: now) == Self.primary)
        #expect(choice.server(for: Self.place, among: [], at: now) == nil)
        #expect(choice.server(for: .primary, among: [Self.near], at: now) == nil)
        #expect(choice.server(for: .primary, among: Self.all, at: now) == Self.primary)
        choice.choice.failed(Self.near, at: now)
        choice.choice.failed(Self.near, at: now)
        choice.choice.failed(Self.other, at: now)
        #expect(choice.server(for: Self.place, among: Self.all, at: now) == Self.primary)
        choice.choice.failed(Self.primary, at: now)
        // The one that has failed least.
        #expect(choice.server(for: Self.place, among: Self.all, at: now) == Self.other)
        #expect(choice.server(for: .primary, among: Self.all, at: now) == Self.primary)
    }

    @Test func `a server that fails again is left for longer, and at once when it was well between`() {
        let choice = Box()
        let servers = [Self.primary, Self.near]
        func isAsked(after pause: Duration) -> Bool {
            var copy = choice.choice
            return copy.server(for: Self.place, among: servers, at: now + pause) == Self.near
        }
        choice.choice.failed(Self.near, at: now)
        #expect(!isAsked(after: .milliseconds(499)))
        #expect(isAsked(after: .milliseconds(501)))
        choice.choice.failed(Self.near, at: now)
        #expect(!isAsked(after: .milliseconds(999)))
        #expect(isAsked(after: .milliseconds(1001)))
        for _ in 0..<20 { choice.choice.failed(Self.near, at: now) }
        #expect(!isAsked(after: .milliseconds(7999)))
        #expect(isAsked(after: .milliseconds(8001)))
        choice.choice.succeeded(Self.near)
        #expect(isAsked(after: .zero))
    }
}
