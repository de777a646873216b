-- What one tenant took of one limit of requests and tokens a minute. KEYS[1] is where it is; ARGV[1] says, as JSON, which limits
-- hold, what is asked for and what is to be corrected before. Every number is a whole one that floating point holds exactly.
local key, given = KEYS[1], cjson.decode(ARGV[1])
local PARTS, FILLS_IN = 60000000, 60000000
local limits = { requests = given.requests_limit, tokens = given.tokens_limit }

local kept = redis.call('HMGET', key, 'requests', 'tokens', 'at')
local taken = { requests = tonumber(kept[1] or 0), tokens = tonumber(kept[2] or 0) }
local at = tonumber(kept[3] or 0)

local shared
if given.shared_time then
    local time = redis.call('TIME')
    shared = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function refill(now)
    local passed = math.max(0, now - at)
    for name, amount in pairs(taken) do
        taken[name] = limits[name] > 0 and math.max(0, amount - passed * limits[name]) or 0
    end
    at = math.min(math.max(at, now), now + FILLS_IN)
end

local function wait(name, more)
    local limit = limits[name]
    if limit == 0 then
        return 0
    end
    return math.max(0, math.ceil((taken[name] + more * PARTS - limit * PARTS) / limit))
end

for _, correction in ipairs(given.corrections) do
    if limits.tokens > 0 then
        refill(shared or tonumber(correction.at))
        local most = math.max(2 * limits.tokens * PARTS, taken.tokens)
        taken.tokens = math.max(0, math.min(taken.tokens + correction.more * PARTS, most))
    end
end

refill(shared or tonumber(given.at))
local requests, tokens = wait('requests', 1), wait('tokens', given.tokens)
local answer
if requests == 0 and tokens == 0 then
    taken.requests = taken.requests + (limits.requests > 0 and PARTS or 0)
    taken.tokens = taken.tokens + (limits.tokens > 0 and given.tokens * PARTS or 0)
    answer = { 'admitted', '0' }
elseif tokens >= requests then
    answer = { 'tokens', string.format('%.0f', tokens) }
else
    answer = { 'requests', string.format('%.0f', requests) }
end
redis.call('HSET', key, 'requests', string.format('%.0f', taken.requests), 'tokens', string.format('%.0f', taken.tokens),
    'at', string.format('%.0f', at))
-- Everything is refilled by then.
redis.call('PEXPIRE', key, 240000)
return answer
