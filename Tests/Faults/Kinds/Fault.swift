import Foundation

/// One kind of fault: what happens to a scene in which events flow, from its beginning to its end.
struct Fault: Sendable, CustomStringConvertible {
    enum Group: String, CaseIterable, Sendable {
        case worker
        case redis
        case mongodb
        case network
        case clock
        case input
    }

    /// In kebab case, with the group in front; stable, because tallies are added up by it.
    let name: String
    let group: Group
    /// Whether it can strike together with another one.
    let isCombinable: Bool
    /// It takes so long that a short run leaves it out.
    let isLong: Bool
    /// Ends when the fault is over and everything it touched is as before. What it must show meanwhile it expects itself.
    let strike: @Sendable (Scene) async throws -> Void

    init(_ group: Group, _ name: String, combinable: Bool = true, isLong: Bool = false, _ strike: @escaping @Sendable (Scene) async throws -> Void) {
        self.group = group
        self.name = "\(group.rawValue)-\(name)"
        isCombinable = combinable
        self.isLong = isLong
        self.strike = strike
    }

    var description: String { name }

    static let all = worker + redis + redisKeys + mongodb + failingCommands + network + lostReplies + clock + input + damage
}
