import EventFixtures
import Events
import Models
import Testing
import Values

@Suite struct VersionsTests {
    private static let upcasts: [Int: Effect] = [
        2: Effect([.rename(path("data.was"), to: path("data.is"))]), 3: Effect([.set(path("data.seen"), .event(name: .schemaVersion, path: []))]),
    ]
    private static let effects: [ExactString: [Effect]] = [
        "changed": [Effect([.set(path("data"), data()), .set(path("version"), .event(name: .schemaVersion, path: []))])]
    ]

    /// What an event of a version leaves, or the problem it is refused for.
    private func read(_ version: Value?, _ versions: Versions, data: Value = ["was": 1]) throws -> (document: Document?, problem: Problem?) {
        var event: Document = ["eventId": "1", "eventType": "changed", "key": "k"]
        if let version { event.append("schemaVersion", version) }
        event.append("data", data)
        var fold = EffectFold(Self.effects)
        fold.versions = ["changed": versions]
        let chunk = try #require(TestLog().append([JSON.write(.document(event))]).first)
        let logged = try #require(chunk.event(at: 0))
        var document: Document?
        do {
            _ = try withExtendedLifetime(chunk) { try fold.fold(logged, into: &document) }
            return (document, nil)
        } catch let refusal as Refusal { return (document, refusal.problem) }
    }

    @Test func `an event goes through all the steps from its own version on`() throws {
        let versions = Versions(current: 4, upcasts: Self.upcasts)
        #expect(try read(2, versions).document == ["data": ["is": 1, "seen": 3], "version": 4])
        #expect(try read(3, versions).document == ["data": ["was": 1, "seen": 3], "version": 4])
        #expect(try read(4, versions).document == ["data": ["was": 1], "version": 4])
    }

    @Test func `a version that is not known is refused, and so is what a step cannot change`() throws {
        let versions = Versions(current: 4, upcasts: Self.upcasts)
        for version in [5, 1, 0, -1, "2", 2.5, nil] as [Value?] {
            let (document, problem) = try read(version, versions)
            #expect(problem == .unknownVersion && document == nil, "\(version.map(JSON.write) ?? "none")")
        }
        #expect(try read(3, versions, data: "text").problem == .badPath)
    }

    @Test func `without upcasts every version up to the newest is taken as it is`() throws {
        for version in [.null, 1, 2] as [Value] { #expect(try read(version, Versions(current: 2)).document?["data"] == ["was": 1]) }
        for version in [3, 0, "1"] as [Value?] { #expect(try read(version, Versions(current: 2)).problem == .unknownVersion) }
    }
}
