-- Drives check-cache: WHAT is "one" (one known hash), "spread" (50,000 known) or "unknown".
local what = os.getenv("WHAT")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("seed", threads)
end

function init(args)
  math.randomseed(os.time() * 10 + seed)
end

function request()
  local hash
  if what == "one" then
    hash = string.format("%064x", 7)
  elseif what == "spread" then
    hash = string.format("%064x", math.random(0, 49999))
  else
    hash = string.format("f%031x%032x", math.random(0, 2 ^ 30), math.random(0, 2 ^ 30))
  end
  return wrk.format(nil, nil, nil, '{"image_hash":"' .. hash .. '"}')
end
