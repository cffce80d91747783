import Foundation
import Synchronization

/// Times as HTTP writes them (RFC 9110, 5.6.7).
enum HTTPDate {
    private static let last = Mutex<(second: time_t, text: String)>((.min, ""))

    /// Written once a second.
    static var now: String {
        let second = time(nil)
        return last.withLock { last in
            if last.second != second { last = (second, text(second)) }
            return last.text
        }
    }

    private static func text(_ second: time_t) -> String {
        var (second, parts) = (second, tm())
        gmtime_r(&second, &parts)
        // The names are English: no locale is ever set.
        return String(unsafeUninitializedCapacity: 40) { buffer in
            buffer.withMemoryRebound(to: CChar.self) { strftime($0.baseAddress, $0.count, "%a, %d %b %Y %H:%M:%S GMT", &parts) }
        }
    }
}
