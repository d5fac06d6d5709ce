-- One script for all routes; what to send comes in environment variables:
--   BENCH_METHOD, BENCH_PATH (with "{id}"), BENCH_IDS (a file, one id a line), BENCH_HEADERS ("Name: value" lines),
--   BENCH_BODY (with "{n}", a number that changes with every round over the ids).
-- Requests are put together before the run, so that wrk takes as little of the machine as it can.

local requests, at = {}, 0

local function lines_of(text)
  return text:gmatch("[^\r\n]+")
end

function init()
  local method, path, body = os.getenv("BENCH_METHOD"), os.getenv("BENCH_PATH"), os.getenv("BENCH_BODY")
  local headers = {}
  for line in lines_of(os.getenv("BENCH_HEADERS") or "") do
    local name, value = line:match("^([^:]+):%s*(.*)$")
    headers[name] = value
  end
  local ids = {}
  for line in io.lines(os.getenv("BENCH_IDS")) do
    ids[#ids + 1] = line
  end
  -- two rounds with different numbers: an update that changes nothing would be cheaper than a real one
  for round = 1, 2 do
    for number, id in ipairs(ids) do
      local price = tostring(round * 10000 + number)
      local content = body and body ~= "" and body:gsub("{n}", price) or nil
      requests[#requests + 1] = wrk.format(method, (path:gsub("{id}", id)), headers, content)
    end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%.1f,"p99":%.1f}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
