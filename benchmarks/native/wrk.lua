-- What wrk sends: requests of files in turn, as fast as responses arrive or, with a rate, when each is due. Each mark of
-- 32 @ is replaced by an id, which only so many requests that follow each other have as TOGETHER says.
-- Arguments: RATE TOGETHER FILE ...
local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]]

local MARK, MONOTONIC = string.rep("@", 32), 1
local moment = ffi.new("moment")
local requests, sent, rate, together, due, prefix = {}, 0, 0, 1, nil, nil

local function now()
  ffi.C.clock_gettime(MONOTONIC, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes, parts, at = file:read("*a"), {}, 1
  file:close()
  while true do
    local first = bytes:find(MARK, at, true)
    parts[#parts + 1] = bytes:sub(at, (first or 0) - 1)
    if not first then return parts end
    at = first + #MARK
  end
end

function init(args)
  rate, together = tonumber(args[1]), tonumber(args[2])
  for index = 3, #args do requests[#requests + 1] = read(args[index]) end
  local seed = io.open("/dev/urandom", "rb")
  local bytes = seed:read(8)
  seed:close()
  prefix = bytes:gsub(".", function(one) return ("%02x"):format(one:byte()) end)
end

function request()
  local id = prefix .. ("%016x"):format(math.floor(sent / together))
  local parts = requests[sent % #requests + 1]
  sent = sent + 1
  return table.concat(parts, id)
end

function delay()
  if rate == 0 then return 0 end
  local at = now()
  due = (due or at) + 1 / rate
  return math.max(0, 1000 * (due - at))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(("\n{\"count\": %d, \"seconds\": %.6f, \"failed\": %d, \"p50\": %.6f, \"p90\": %.6f, \"p99\": %.6f, \"max\": %.6f}\n"):format(
    summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(90) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6))
end
