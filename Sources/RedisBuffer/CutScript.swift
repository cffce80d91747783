extension Script {
    /// Takes the whole list in one step, or resumes the segment that is there. Its time does not depend on the length.
    ///
    /// Arguments: epoch, a fresh UUID, installation. Replies:
    ///
    /// - `foreign`, owner · `fenced`, fence: nothing was written
    /// - `cut`, run id, count of cuts, the segment's stored identity (null if there is no segment), its length
    ///
    /// The first write is one that a full Redis accepts: a script whose first write could grow memory is refused at
    /// maxmemory, and then nothing would ever free any. What follows the first write is not checked.
    static let cut = Script(
        """
        local epoch, identity, installation = tonumber(ARGV[1]), ARGV[2], ARGV[3]
        local owned = redis.call('GET', owner)
        if owned and owned ~= installation then return {'foreign', owned} end
        if epoch < fenced then return {'fenced', fenced} end
        local run = redis.call('INFO', 'server'):match('run_id:(%w+)') or ''

        local found = redis.call('EXISTS', segment) == 1
        if found then
            redis.call('PERSIST', fence)
            if redis.call('EXISTS', id) == 0 then redis.call('SET', id, identity .. ':adopted') end
        elseif redis.call('EXISTS', list) == 1 then
            redis.call('RENAMENX', list, segment)
            redis.call('PERSIST', segment)
            redis.call('SET', id, identity)
            redis.call('INCR', cuts)
            found = true
        else
            redis.call('PERSIST', fence)
        end
        if epoch > fenced then redis.call('SET', fence, ARGV[1]) end
        if not owned then redis.call('SET', owner, installation) end

        local count = tonumber(redis.call('GET', cuts) or '0')
        return {'cut', run, count, found and redis.call('GET', id), redis.call('LLEN', segment)}
        """
    )
}
