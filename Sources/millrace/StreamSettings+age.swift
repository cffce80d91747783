import Events
import Foundation
import Values

extension StreamSettings {
    /// How many seconds ago the oldest waiting event says that it happened; nil when it does not say.
    func age(of element: [UInt8]?) -> Double? {
        guard let element else { return nil }
        var elements = RawElements()
        element.withUnsafeBytes { elements.append($0) }
        let tape = elements.parse()
        guard case .success(let root) = tape.root(0), let time = (try? envelope(of: root))?.time else { return nil }
        return max(0, Date().timeIntervalSince1970 - Double(time) / 1000)
    }
}
