import Crypto
import Values

/// The right to read, as it is kept: whoever has the token itself, which is shown once, can read what it says.
public struct AccessToken: Hashable, Sendable {
    /// What it is called by in lists: eight hexadecimal digits.
    public var id: String
    /// What it is for, in its maker's words.
    public var name: String
    /// SHA-256 of the token.
    public var hash: [UInt8]
    /// nil for all.
    public var models: [String]?
    /// Paths of fields; nil for all that are not private.
    public var fields: [String]?
    /// Requests a second; nil for no limit but the service's.
    public var rate: Int?
    /// The strongest consistency that may be asked for.
    public var consistency: ReadConsistency
    /// Milliseconds since 1970, by MongoDB's clock.
    public var created: Int64
    public var expires: Int64?
    public var revoked: Int64?

    public init(
        id: String, name: String, hash: [UInt8], models: [String]? = nil, fields: [String]? = nil, rate: Int? = nil, consistency: ReadConsistency = .strong,
        created: Int64, expires: Int64? = nil, revoked: Int64? = nil
    ) {
        self.id = id
        self.name = name
        self.hash = hash
        self.models = models
        self.fields = fields
        self.rate = rate
        self.consistency = consistency
        self.created = created
        self.expires = expires
        self.revoked = revoked
    }

    public func isValid(at time: Int64) -> Bool { revoked == nil && (expires.map { $0 > time } ?? true) }
}

/// What may be read besides, and what is waited for.
public enum ReadConsistency: String, CaseIterable, Codable, Comparable, Hashable, Sendable {
    /// What a secondary has, which may be a little behind.
    case eventual
    /// Everything that was pushed before the request.
    case causal
    /// The same, from the primary.
    case strong

    public static func < (left: ReadConsistency, right: ReadConsistency) -> Bool { left.rank < right.rank }

    private var rank: Int { self == .eventual ? 0 : self == .causal ? 1 : 2 }
}

/// A token itself: `mr_`, 32 random letters and digits (190 bits), `_`, and six that are made of them by CRC-32, so that a scan for
/// leaked secrets knows one when it sees it.
public enum TokenText {
    public static let prefix = "mr_"
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let randomDigits = 32
    private static let checkDigits = 6

    public static func make() -> String {
        var random = SystemRandomNumberGenerator()
        let body = (0..<randomDigits).map { _ in digits[Int.random(in: 0..<digits.count, using: &random)] }
        return prefix + String(decoding: body + check(body), as: UTF8.self)
    }

    /// Whether a text can be a token.
    public static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == prefix.utf8.count + randomDigits + 1 + checkDigits, text.hasPrefix(prefix) else { return false }
        let body = Array(bytes.dropFirst(prefix.utf8.count).prefix(randomDigits))
        return body.allSatisfy(digits.contains) && Array(bytes.suffix(1 + checkDigits)) == check(body)
    }

    public static func hash(of text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    private static func check(_ body: [UInt8]) -> [UInt8] {
        var rest = ~body.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        var check: [UInt8] = []
        for _ in 0..<checkDigits {
            check.append(digits[Int(rest % 62)])
            rest /= 62
        }
        return [UInt8(ascii: "_")] + check
    }
}
