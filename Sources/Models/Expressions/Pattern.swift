import CRegex
import Synchronization

/// A regular expression, compiled: Perl's, of UTF-8.
///
/// `@unchecked Sendable`: the code is not changed after it was compiled, and is freed with its last owner.
final class Pattern: @unchecked Sendable {
    private let code: OpaquePointer

    /// Steps that one search may take. mongod allows ten times as many; a pattern that needs them on one text needs more on the
    /// next, and meanwhile the stream stands still.
    static let maximumSteps: UInt32 = 1_000_000
    /// Memory that one search may take, in KiB.
    static let maximumMemory: UInt32 = 16 * 1024

    /// Why a text is no pattern, or an option is none.
    struct Mistake: Error { var message: String }

    /// Why there is no answer.
    enum Failure: Error {
        case limit
        case other(Int32)
    }

    private init(_ text: String, options: String) throws(Mistake) {
        var flags = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C
        for letter in options.unicodeScalars {
            switch letter {
            case "i": flags |= PCRE2_CASELESS
            case "m": flags |= PCRE2_MULTILINE
            case "s": flags |= PCRE2_DOTALL
            case "x": flags |= PCRE2_EXTENDED
            // Text is Unicode anyway.
            case "u": break
            default: throw Mistake(message: "there is no option \"\(letter)\"")
            }
        }
        guard !text.utf8.contains(0) else { throw Mistake(message: "the pattern holds NUL") }
        var (number, place) = (Int32(0), 0)
        let bytes = Array(text.utf8)
        guard let code = pcre2_compile_8(bytes, bytes.count, flags, &number, &place, nil) else {
            var message = [UInt8](repeating: 0, count: 256)
            _ = pcre2_get_error_message_8(number, &message, message.count)
            throw Mistake(message: "\(String(decoding: message.prefix { $0 != 0 }, as: UTF8.self)), at byte \(place) of the pattern")
        }
        self.code = code
    }

    deinit { pcre2_code_free_8(code) }

    /// Where a match lies in the bytes of a text, and what its groups matched.
    struct Match {
        var range: Range<Int>
        var groups: [Range<Int>?]
    }

    /// The first match from a place on.
    func firstMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int) throws(Failure) -> Match? {
        let context = pcre2_match_context_create_8(nil)
        let found = pcre2_match_data_create_from_pattern_8(code, nil)
        defer {
            pcre2_match_context_free_8(context)
            pcre2_match_data_free_8(found)
        }
        pcre2_set_match_limit_8(context, Self.maximumSteps)
        pcre2_set_heap_limit_8(context, Self.maximumMemory)
        // Strings are always UTF-8.
        let count = pcre2_match_8(code, text.baseAddress, text.count, start, PCRE2_NO_UTF_CHECK, found, context)
        if count == PCRE2_ERROR_NOMATCH { return nil }
        if [PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_HEAPLIMIT].contains(count) { throw .limit }
        guard count > 0, let places = pcre2_get_ovector_pointer_8(found) else { throw .other(count) }
        func range(_ group: Int) -> Range<Int>? {
            let (first, end) = (places[2 * group], places[2 * group + 1])
            // A group that took no part has no place, and \K may put the begin behind the end.
            return 0 <= first && first <= end && end <= text.count ? first..<end : nil
        }
        guard let whole = range(0) else { return nil }
        return Match(range: whole, groups: (1..<max(1, Int(pcre2_get_ovector_count_8(found)))).map(range))
    }

    /// Those that were compiled last: a definition's own stay, and those that come with events cannot grow without end.
    private static let known = Mutex<[Key: Pattern]>([:])
    private static let maximumKnown = 1000

    private struct Key: Hashable {
        var text: String
        var options: String
    }

    static func compiled(_ text: String, options: String) throws(Mistake) -> Pattern {
        let key = Key(text: text, options: options)
        if let pattern = known.withLock({ $0[key] }) { return pattern }
        let pattern = try Pattern(text, options: options)
        known.withLock { known in
            if known.count >= maximumKnown { known.removeAll() }
            known[key] = pattern
        }
        return pattern
    }
}

extension ExpressionOperator {
    /// Why a definition's pattern cannot be used.
    public static func mistake(inPattern text: String, options: String) -> String? {
        do throws(Pattern.Mistake) {
            _ = try Pattern.compiled(text, options: options)
            return nil
        } catch { return error.message }
    }
}
