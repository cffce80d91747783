import Foundation
import Values

/// Names for whoever holds leases and writes receipts.
enum Owner {
    /// Host and process, for people, and something that no other has: two works of one process exclude each other as those of
    /// two do.
    static func make() -> String {
        "\(ProcessInfo.processInfo.hostName)/\(ProcessInfo.processInfo.processIdentifier)/\(RandomUUID.text().prefix(8))"
    }
}
