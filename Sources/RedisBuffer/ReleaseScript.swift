extension Script {
    /// Removes the segment if it is still the caller's, and moves its oversize elements to `L:oversize`.
    ///
    /// Arguments: epoch, identity, raw indexes of the oversize elements. Replies:
    ///
    /// - `fenced`, fence: nothing was written
    /// - `gone`: the segment there is another, or none
    /// - `released`
    ///
    /// The elements are taken into memory first, because the first write must be the `UNLINK`: a full Redis accepts it.
    static let release = Script(
        """
        local epoch, identity = tonumber(ARGV[1]), ARGV[2]
        if epoch < fenced then return {'fenced', fenced} end
        local stored = redis.call('GET', id)
        local mine = stored == identity or stored == identity .. ':adopted'
        local result = 'gone'
        if mine and redis.call('EXISTS', segment) == 1 then
            local kept = {}
            for i = 3, #ARGV do
                local element = redis.call('LINDEX', segment, ARGV[i])
                if element then table.insert(kept, element) end
            end
            redis.call('UNLINK', segment, id)
            for _, element in ipairs(kept) do redis.call('RPUSH', oversize, element) end
            result = 'released'
        else
            redis.call('PERSIST', fence)
        end
        if epoch > fenced then redis.call('SET', fence, ARGV[1]) end
        return {result}
        """
    )
}
