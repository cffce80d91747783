import Events
import Values

/// How events of one type are read, whatever version of their schema they are of.
public struct Versions: Hashable, Sendable {
    /// The newest version that is known, which the effects are written for.
    public let current: Int
    /// What makes an event of the version after it of one of this. Without any, older events are taken as they are.
    public let upcasts: [Int: Effect]

    public init(current: Int, upcasts: [Int: Effect] = [:]) {
        self.current = current
        self.upcasts = upcasts
    }

    /// An event without `schemaVersion` is of the first.
    private static let first = 1

    /// The event as one of the current version. Throws for a version that is not known.
    func read(_ event: Event) throws(Refusal) -> Event {
        let version = try version(of: event)
        guard version != current, !upcasts.isEmpty else { return event }
        var event = event
        for version in version..<current {
            guard let upcast = upcasts[version] else {
                throw Refusal(.unknownVersion, "\(event.type.text) has schemaVersion \(version), older than what is known how to read: add an upcast from it")
            }
            var members: Document? = Document()
            members?["data"] = event.value(.data, [])
            _ = try upcast.plan.apply(event, to: &members, defaults: Document())
            members?["schemaVersion"] = .int32(Int32(clamping: version + 1))
            event = event.replacing(members ?? Document())
        }
        return event
    }

    private func version(of event: Event) throws(Refusal) -> Int {
        let stated = event.value(.schemaVersion, [])
        if stated == nil || stated == .null { return Self.first }
        guard let version = stated?.asInteger else {
            throw Refusal(.unknownVersion, "schemaVersion of \(event.type.text) is of type \(stated?.typeName ?? "missing"), not an integer")
        }
        guard version <= Int64(current) else {
            throw Refusal(
                .unknownVersion,
                "\(event.type.text) has schemaVersion \(version), and the newest that is known is \(current): add an upcast, or raise schemaVersions, and rebuild"
            )
        }
        guard version >= Int64(Self.first) else {
            throw Refusal(.unknownVersion, "\(event.type.text) has schemaVersion \(version), and the first is \(Self.first)")
        }
        return Int(version)
    }
}
