import Events
import RedisAddress

/// What is wrong with a URL, told without showing the URL's secrets.
struct URLFault: Error, Hashable {
    var message: String
    var suggestion: String?

    init(_ message: String, _ suggestion: String? = nil) {
        self.message = message
        self.suggestion = suggestion
    }

    /// What is wrong with a URL of Redis, by the parser that connects with it.
    static func ofRedis(_ url: String) -> [URLFault] {
        do throws(Refusal) {
            _ = try RedisURL(url)
            return []
        } catch {
            return [URLFault(error.message)]
        }
    }
}

/// The parts of `scheme://user:password@host:port/path?options`, as they are written.
///
/// Stricter than the client libraries: what they would guess about, or stumble over, is refused here, before a server
/// is asked.
struct ServerURL {
    var scheme: String
    var user: String?
    var password: String?
    /// Hosts with their ports.
    var hosts: [String]
    /// With its leading slash; empty when there is none.
    var path: String
    var options: [(name: String, value: String)]

    /// `example` is a URL of the kind that is wanted.
    init(_ text: String, example: String) throws(URLFault) {
        guard let separator = text.firstRange(of: "://") else { throw URLFault("has no scheme", "such as \(example)") }
        guard !text.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.properties.generalCategory == .control }) else {
            throw URLFault("holds white space or control characters", "a space in a password is written %20")
        }
        guard !text.utf8.contains(UInt8(ascii: "#")) else { throw URLFault("holds a #", "in a password it is written %23") }
        scheme = String(text[..<separator.lowerBound])
        let rest = text[separator.upperBound...]
        let beforeOptions = rest.prefix { $0 != "?" }
        let authority = beforeOptions.prefix { $0 != "/" }
        path = String(beforeOptions.dropFirst(authority.count))
        // A slash, question mark or @ in a password ends it early, and the host that is left is none.
        guard !path.contains("@"), !rest.dropFirst(beforeOptions.count).contains("@"), authority.count(where: { $0 == "@" }) <= 1 else {
            throw URLFault("has an @ where none is expected", "in a user or password, @ is written %40, / %2F, ? %3F and : %3A")
        }
        var address = authority
        if let at = authority.firstIndex(of: "@") {
            let parts = authority[..<at].split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { throw URLFault("has more than one colon before the @", "in a user or password, : is written %3A") }
            user = parts.first.map(String.init)
            password = parts.count == 2 ? String(parts[1]) : nil
            address = authority[authority.index(after: at)...]
        }
        hosts = address.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        options = Self.options(rest.dropFirst(beforeOptions.count + 1))
        try checkEscapes(text)
    }

    /// An empty password crashes libmongoc 1.23 (CDRIVER-5550).
    func checkUser() throws(URLFault) {
        if password == "" { throw URLFault("has an empty password", "leave out the : before the @, or give the password") }
    }

    /// `host`, `host:port`, `[::1]:port`.
    static func check(host: String) throws(URLFault) {
        var name = host[...]
        var port: Substring?
        if host.hasPrefix("[") {
            guard let bracket = host.firstIndex(of: "]") else { throw URLFault("has an IPv6 address without its closing bracket") }
            name = host[host.index(after: host.startIndex)..<bracket]
            let rest = host[host.index(after: bracket)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw URLFault("has something other than a port after the IPv6 address") }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else {
            let parts = host.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { throw URLFault("has a host with more than one colon", "an IPv6 address stands in brackets: [::1]:6379") }
            name = parts.first ?? ""
            port = parts.count == 2 ? parts[1] : nil
        }
        guard !name.isEmpty else { throw URLFault("has no host") }
        // Not shown: what stands in the host's place may be half a password.
        guard let port else { return }
        guard port.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(port), 1...65_535 ~= number else {
            throw URLFault("has a port that is not a number from 1 to 65535")
        }
    }

    private func checkEscapes(_ text: String) throws(URLFault) {
        let bytes = Array(text.utf8)
        for index in bytes.indices where bytes[index] == UInt8(ascii: "%") {
            let digits = bytes[(index + 1)...].prefix(2)
            guard digits.count == 2, Int(String(decoding: digits, as: UTF8.self), radix: 16) != nil, !digits.contains(UInt8(ascii: "+")),
                !digits.contains(UInt8(ascii: "-"))
            else { throw URLFault("has a % that is not followed by two hexadecimal digits", "the character % itself is written %25") }
        }
    }

    /// Names are folded to lower case, as libmongoc compares them.
    private static func options(_ query: Substring) -> [(name: String, value: String)] {
        query.split(whereSeparator: { $0 == "&" || $0 == ";" }).map { option in
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (parts[0].lowercased(), parts.count == 2 ? unescaped(parts[1]) : "")
        }
    }

    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let escaped = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(escaped)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
