import Events

extension RedisURL {
    static func refusal(_ message: String) -> Refusal {
        Refusal(.badConfiguration, "the URL of Redis is not valid: \(message)")
    }

    /// Login and host of `login@host`.
    static func split(_ authority: Substring) throws(Refusal) -> (login: Substring?, host: Substring) {
        guard let at = authority.lastIndex(of: "@") else { return (nil, authority) }
        let login = authority[..<at]
        guard !login.contains("@") else { throw refusal("it has more than one @; in a password write @ as %40") }
        return (login, authority[authority.index(after: at)...])
    }

    static func credentials(_ login: Substring?) throws(Refusal) -> (user: String?, password: String?) {
        guard let login else { return (nil, nil) }
        let parts = login.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let user = try decoded(parts[0])
        let password = parts.count > 1 ? try decoded(parts[1]) : ""
        guard !user.isEmpty || !password.isEmpty else { throw refusal("the user and the password before the @ are empty") }
        return (user.isEmpty ? nil : user, password)
    }

    static func tcp(_ authority: Substring) throws(Refusal) -> Server {
        let host: Substring
        let rest: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw refusal("the ] after the IPv6 address is missing") }
            host = authority[..<end].dropFirst()
            rest = authority[authority.index(after: end)...]
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            host = authority[..<colon]
            rest = authority[colon...]
            guard !rest.dropFirst().contains(":") else {
                throw refusal("more than one colon after the host; an IPv6 address is written in brackets: redis://[::1]:6379")
            }
        }
        guard !host.isEmpty else { throw refusal("the host is empty") }
        guard !rest.isEmpty else { return .tcp(host: String(host), port: 6379) }
        guard rest.hasPrefix(":"), isNumber(rest.dropFirst()), let port = UInt16(rest.dropFirst()), port > 0 else {
            throw refusal("the port must be a number from 1 to 65535")
        }
        return .tcp(host: String(host), port: port)
    }

    static func database(_ text: Substring) throws(Refusal) -> Int {
        guard !text.isEmpty else { return 0 }
        guard isNumber(text), let number = Int32(text) else { throw refusal("the database must be a number, such as 0") }
        return Int(number)
    }

    /// Only digits: `Int` also reads `+1`.
    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    static func decoded(_ text: Substring) throws(Refusal) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit), high | low != 0 else {
                throw refusal("a % is not followed by two hexadecimal digits (or by 00); write a % itself as %25")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw refusal("its %-codes are not UTF-8") }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init)
    }

    static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = byte < 128 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber)
            if isPlain || "-._~/".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
            let hex = String(byte, radix: 16, uppercase: true)
            return hex.count == 1 ? "%0" + hex : "%" + hex
        }.joined()
    }
}
