import Fixtures
import Testing
import Values

@testable import Events

@Suite struct EnvelopeTests {
    struct Read: Equatable {
        var id: String
        var type: String
        var key: String
        var time: Int64?
    }

    static func read(_ text: String, _ shape: EventShape = .plain, key: KeySource = .envelope) throws -> Result<Read, Refusal> {
        try JSONText.read([Array(text.utf8)]) { root -> Result<Read, Refusal> in
            do throws(Refusal) {
                let envelope = try shape.envelope(of: root, key: key)
                return .success(
                    Read(id: envelope.id.string, type: envelope.type.string, key: envelope.key.string, time: envelope.time)
                )
            } catch { return .failure(error) }
        }[0].get()
    }

    /// A good event with other members.
    static func event(_ changes: String..., without: String = "") -> String {
        let members = ["\"eventId\":\"i\"", "\"eventType\":\"t\"", "\"key\":\"k\""].filter { without.isEmpty || !$0.hasPrefix("\"\(without)\"") }
        return "{" + (members + changes).joined(separator: ",") + "}"
    }

    static let accepted: [(String, Read)] = [
        (event(), Read(id: "i", type: "t", key: "k", time: nil)),
        (event("\"occurredAt\":null"), Read(id: "i", type: "t", key: "k", time: nil)),
        (event("\"occurredAt\":\"1970-01-01T00:00:01Z\"", "\"more\":{\"key\":1}"), Read(id: "i", type: "t", key: "k", time: 1000)),
        (event("\"key\":-5", without: "key"), Read(id: "i", type: "t", key: "-5", time: nil)),
        (event("\"key\":9223372036854775807", without: "key"), Read(id: "i", type: "t", key: "9223372036854775807", time: nil)),
        (event("\"key\":\"\\u00e9\"", without: "key"), Read(id: "i", type: "t", key: "é", time: nil)),
        (
            event("\"key\":\"\(String(repeating: "k", count: 512))\"", without: "key"),
            Read(id: "i", type: "t", key: String(repeating: "k", count: 512), time: nil)
        ),
        (event("\"eventId\":\"\(String(repeating: "i", count: 256))\"", without: "eventId"), Read(id: String(repeating: "i", count: 256), type: "t", key: "k")),
    ]

    @Test func `what is an event`() throws {
        for (text, expected) in Self.accepted { #expect(try Self.read(text) == .success(expected), "\(text)") }
    }

    @Test func `a stream may take the key from elsewhere`() throws {
        let source = KeySource.path(["data", "flight", "id"])
        func key(_ data: String) throws -> Result<String, Refusal> { try Self.read(Self.event("\"data\":\(data)"), key: source).map(\.key) }
        #expect(try key("{\"flight\":{\"id\":\"f1\"}}") == .success("f1"))
        #expect(try key("{\"flight\":{\"id\":17}}") == .success("17"))
        for missing in ["{}", "{\"flight\":{}}", "{\"flight\":\"id\"}", "{\"flight\":[{\"id\":1}]}", "null"] {
            guard case .failure(let refusal) = try key(missing) else {
                Issue.record("taken: \(missing)")
                continue
            }
            #expect(refusal.problem == .noKey)
            #expect(refusal.message.contains("$data.flight.id"))
        }
        guard case .failure(let refusal) = try key("{\"flight\":{\"id\":{}}}") else {
            Issue.record("taken")
            return
        }
        #expect(refusal.problem == .badKey)
        // The envelope's own key plays no part.
        #expect(try Self.read("{\"eventId\":\"i\",\"eventType\":\"t\",\"id\":\"x\"}", key: .path(["element", "id"])).map(\.key) == .success("x"))
    }
}
