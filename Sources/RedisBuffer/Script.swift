/// A server-side script: constant text, never built from values.
struct Script: Sendable {
    let text: String
    /// By which the server knows the script once it has seen it.
    let digest: String

    /// One that takes `BufferKeys.all` as its keys.
    init(_ body: String) { self.init(text: Self.opening + body) }

    /// One with keys of its own.
    init(text: String) {
        self.text = text
        digest = SHA1.hex(of: text)
    }

    /// Names the keys, and refuses before the first write what would make a later one fail: a script is not rolled
    /// back. Numbers are bounded so that they are exact as Lua's doubles.
    private static let opening = """
        local list, segment, id, fence, cuts, oversize, owner = unpack(KEYS)
        local types = {'list', 'list', 'string', 'string', 'string', 'list', 'string'}
        for i, wanted in ipairs(types) do
            local found = redis.call('TYPE', KEYS[i]).ok
            if found ~= 'none' and found ~= wanted then return {'wrong-type', KEYS[i], found, wanted} end
        end
        for _, key in ipairs({fence, cuts}) do
            local text = redis.call('GET', key)
            if text and not (text:match('^%d+$') and #text < 16) then return {'wrong-type', key, 'text', 'number'} end
        end
        local fenced = tonumber(redis.call('GET', fence) or '0')

        """
}
