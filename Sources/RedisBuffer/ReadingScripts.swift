// Scripts that write nothing, and are scripts so that what they read is of one moment.

extension Script {
    /// What must be complete for everything pushed so far to be applied. Reply: `token`, run id, count of cuts, and one
    /// more if there is something to cut.
    static let token = Script(
        """
        local run = redis.call('INFO', 'server'):match('run_id:(%w+)') or ''
        local count = tonumber(redis.call('GET', cuts) or '0')
        return {'token', run, count + redis.call('EXISTS', list)}
        """
    )

    /// How much is waiting. Argument: the size of a head. Reply: `waiting`, lengths of list, segment and
    /// `L:oversize`, and the head of the oldest element, if any.
    static let waiting = Script(
        """
        local oldest = redis.call('LINDEX', segment, 0) or redis.call('LINDEX', list, 0)
        if oldest then oldest = oldest:sub(1, tonumber(ARGV[1])) end
        return {'waiting', redis.call('LLEN', list), redis.call('LLEN', segment), redis.call('LLEN', oversize), oldest}
        """
    )
}
