-- A steady load of lookups for wrk: `wrk -s storm.lua URL -- KEYS PREFIX PAUSE GOOD BAD EVERY`. Each connection waits PAUSE milliseconds
-- before each request, so that their number a second is the same whoever answers; one of EVERY has the token BAD.
function init(args)
  keys, path, pause = tonumber(args[1]), args[2], tonumber(args[3])
  good, bad, every = "Bearer " .. args[4], "Bearer " .. args[5], tonumber(args[6])
  math.randomseed(os.time())
  count = 0
end

function delay()
  -- Not all at once.
  return math.random(0, 2 * pause)
end

function request()
  count = count + 1
  wrk.headers["Authorization"] = count % every == 0 and bad or good
  return wrk.format("GET", path .. math.random(keys))
end

function done(summary, latency, requests)
  io.write(string.format(
    '{"requests":%d,"seconds":%.3f,"errors":%d,"bad":%d}\n', summary.requests, summary.duration / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, summary.errors.status))
end
