-- Posts the body of the file named in BODY and prints what load.py prints, as JSON.
local file = io.open(os.getenv("BODY"), "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
file:close()

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests_per_second": %f, "p50_ms": %f, "p99_ms": %f, "max_ms": %f, "statuses": {"200": %d, "other": %d}}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    latency.max / 1000, summary.requests - errors.status, errors.status + errors.connect + errors.timeout))
end
