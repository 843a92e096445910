-- Drives one address. WHAT is "one" (one known hash), "key" (the same with the app key KEY), "spread"
-- (50,000 known), "declared" (1,000 that a user has declared), "unknown", "albums" (100 of the 50,000
-- in each request), "unknown-albums" or "upload" (the form in the file FORM).
local what = os.getenv("WHAT")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
if what == "key" then
  wrk.headers["X-API-Key"] = os.getenv("KEY")
end

local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("seed", threads)
end

local function known()
  return string.format("%064x", math.random(0, 49999))
end

local function unknown()
  return string.format("f%031x%032x", math.random(0, 2 ^ 30), math.random(0, 2 ^ 30))
end

local function album(hash)
  local hashes = {}
  for place = 1, 100 do
    hashes[place] = '"' .. hash() .. '"'
  end
  return wrk.format(nil, nil, nil, '{"image_hashes":[' .. table.concat(hashes, ",") .. "]}")
end

-- What takes long to write is written before the clock runs.
local ready = {}
function init(args)
  math.randomseed(os.time() * 10 + seed)
  if what == "albums" or what == "unknown-albums" then
    for number = 1, 500 do
      ready[number] = album(what == "albums" and known or unknown)
    end
  elseif what == "upload" then
    wrk.headers["Content-Type"] = "multipart/form-data; boundary=7d1f0c55e2"
    local form = io.open(os.getenv("FORM"), "rb"):read("*a")
    ready[1] = wrk.format(nil, nil, nil, form)
  end
end

local last = 0
function request()
  if #ready > 0 then
    last = last % #ready + 1
    return ready[last]
  end
  local hash, user = "", ""
  if what == "one" or what == "key" then
    hash = string.format("%064x", 7)
  elseif what == "spread" then
    hash = known()
  elseif what == "declared" then
    hash = string.format("d%063x", math.random(0, 999))
    user = ',"user_id":"bench"'
  else
    hash = unknown()
  end
  return wrk.format(nil, nil, nil, '{"image_hash":"' .. hash .. '"' .. user .. "}")
end
