extension Script {
    /// Moves entries of a Redis stream onto lists, in order, and acknowledges them: both, or neither. Only what is first
    /// among the group's pending entries can be moved, so that whoever read them, and however many others did too, each is
    /// moved once, and none before the one ahead of it.
    ///
    /// Keys: the Redis stream, then lists. Arguments: group, `trim` or `keep`, how many, and for each entry its id, the number
    /// of its list's key, and the element. Replies:
    ///
    /// - `wrong-type`, key, type: nothing was written
    /// - `behind`: others are first among the pending ones; nothing was written
    /// - `moved`, the number of groups, where others keep the entries from being trimmed
    ///
    /// Trimming frees what moving takes, so it must go on when Redis is full: it is then that nothing else would ever free
    /// any. Its first write is therefore the `XACK`, which a full Redis accepts. Without trimming it is the `RPUSH`, which a
    /// full Redis refuses before anything is written.
    static let move = Script(
        text: """
            local source, group = KEYS[1], ARGV[1]
            for i = 2, #KEYS do
                local found = redis.call('TYPE', KEYS[i]).ok
                if found ~= 'none' and found ~= 'list' then return {'wrong-type', KEYS[i], found} end
            end
            local count = tonumber(ARGV[3])
            local ids, pending = {}, redis.call('XPENDING', source, group, '-', '+', count)
            for i = 1, count do
                ids[i] = ARGV[3 * i + 1]
                if not pending[i] or pending[i][1] ~= ids[i] then return {'behind'} end
            end

            local groups = #redis.call('XINFO', 'GROUPS', source)
            local trims = ARGV[2] == 'trim' and groups == 1
            if trims then redis.call('XACK', source, group, unpack(ids)) end
            for i = 1, count do redis.call('RPUSH', KEYS[tonumber(ARGV[3 * i + 2])], ARGV[3 * i + 3]) end
            if trims then redis.call('XDEL', source, unpack(ids)) else redis.call('XACK', source, group, unpack(ids)) end
            return {'moved', groups}
            """
    )
}
