-- Lookups of random ids for wrk: `wrk -s lookups.lua URL -- KEYS uniform|zipf [PREFIX [TOKEN]]`. KEYS ids of the form product-N.
-- What it measured is printed as one line of JSON.
local zipf_exponent = 1.0

function init(args)
  keys = tonumber(args[1])
  local kind = args[2]
  path = args[3] or "/v1/product/product-"
  token = args[4]
  math.randomseed(os.time())
  if kind == "zipf" then
    sums = {}
    local sum = 0
    for n = 1, keys do
      sum = sum + 1 / n ^ zipf_exponent
      sums[n] = sum
    end
  end
  if token then wrk.headers["Authorization"] = "Bearer " .. token end
end

local function key()
  if not sums then return math.random(keys) end
  local wanted, low, high = math.random() * sums[keys], 1, keys
  while low < high do
    local middle = math.floor((low + high) / 2)
    if sums[middle] < wanted then low = middle + 1 else high = middle end
  end
  return low
end

function request()
  return wrk.format("GET", path .. key())
end

function done(summary, latency, requests)
  io.write(string.format(
    '{"requests":%d,"seconds":%.3f,"errors":%d,"bad":%d,"p50":%.3f,"p99":%.3f,"max":%.3f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, summary.errors.status,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
