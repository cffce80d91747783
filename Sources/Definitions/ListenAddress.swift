/// Where a service listens: `127.0.0.1:9090`, `[::1]:9090`, or `off`.
public enum ListenAddress: Hashable, Sendable {
    case off
    /// Port 0 is any that is free.
    case at(host: String, port: Int)

    /// nil for what is none.
    public init?(_ text: String) {
        if text == "off" {
            self = .off
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() } else if host.contains(":") { return nil }
        guard !host.isEmpty, !host.contains(where: { "/[]@ ".contains($0) }) else { return nil }
        self = .at(host: String(host), port: Int(port))
    }
}
