-- The account of AI spend of one tenant. KEYS[1] is where it is, ARGV[1] what is to be done, ARGV[2] what with, as JSON whose
-- numbers are texts: Lua's are floating point, and only Redis itself adds exactly.
local base, operation, given = KEYS[1], ARGV[1], cjson.decode(ARGV[2])
local account, open, leases, counters, hours = base .. ':account', base .. ':open', base .. ':leases', base .. ':counters', base .. ':hours'

-- A number in pieces that floating point holds exactly: billions, and what is left.
local function pieces(text)
    local length = #text
    if length <= 9 then
        return 0, tonumber(text)
    end
    return tonumber(string.sub(text, 1, length - 9)), tonumber(string.sub(text, length - 8))
end

local function exceeds(cap, ...)
    local high, low = 0, 0
    for _, text in ipairs({ ... }) do
        local more_high, more_low = pieces(text)
        high, low = high + more_high, low + more_low
    end
    high, low = high + math.floor(low / 1000000000), low % 1000000000
    local cap_high, cap_low = pieces(cap)
    return high > cap_high or (high == cap_high and low > cap_low)
end

local function read_open(value)
    local amount, at, expires, state, scopes = string.match(value, '^(%d+)|(%-?%d+)|(%-?%d+)|(%a+)|(.*)$')
    return { amount = amount, at = at, expires = expires, state = state, scopes = scopes }
end

local function read_counter(field)
    local kind, from, to, scope = string.match(field, '^(.):(%-?%d+):(%-?%d+):(.*)$')
    return kind, tonumber(from), tonumber(to), scope
end

local function contains(scopes, scope)
    for _, one in ipairs(scopes) do
        if one == scope then
            return true
        end
    end
    return false
end

local function take(field, amount)
    if amount ~= '0' and redis.call('HINCRBY', counters, field, '-' .. amount) < 0 then
        redis.call('HSET', counters, field, '0')
    end
end

-- Changes the counters that a reservation is in.
local function count(scopes, at, less_reserved, more_reserved, more_settled)
    scopes, at = cjson.decode(scopes), tonumber(at)
    for _, field in ipairs(redis.call('HKEYS', counters)) do
        local kind, from, to, scope = read_counter(field)
        if kind == 's' and from <= at and at < to and contains(scopes, scope) then
            local reserved = 'r' .. string.sub(field, 2)
            take(reserved, less_reserved)
            redis.call('HINCRBY', counters, reserved, more_reserved)
            redis.call('HINCRBY', counters, field, more_settled)
        end
    end
end

-- Gives back what nobody has settled within its lease, and forgets what nobody will.
local function expire()
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', given.at, 'LIMIT', 0, 1000)) do
        local value = redis.call('HGET', open, id)
        local lapsing = value and read_open(value)
        if lapsing and lapsing.state == 'held' then
            count(lapsing.scopes, lapsing.at, lapsing.amount, '0', '0')
            redis.call('HSET', open, id, '0|' .. lapsing.at .. '|' .. lapsing.expires .. '|lapsed|' .. lapsing.scopes)
            redis.call('ZADD', leases, tonumber(lapsing.expires) + tonumber(given.late), id)
        else
            redis.call('HDEL', open, id)
            redis.call('ZREM', leases, id)
        end
    end
end

-- Sums up what a limit counts, when none has asked for its span before.
local function make(limit, field)
    local from, to = tonumber(limit.from), tonumber(limit.to)
    for _, old in ipairs(redis.call('HKEYS', counters)) do
        local _, _, old_to = read_counter(old)
        if old_to <= from then
            redis.call('HDEL', counters, old)
        end
    end
    redis.call('HSET', counters, 's' .. field, '0', 'r' .. field, '0')
    local first, last = math.floor(from / 3600000000), math.floor((to - 1) / 3600000000)
    for _, hour in ipairs(redis.call('ZRANGEBYSCORE', hours, first, last)) do
        local cells = redis.call('HGETALL', base .. ':hour:' .. hour)
        for place = 1, #cells, 2 do
            if string.sub(cells[place], 1, 1) == 'c' then
                local cell = cjson.decode(string.sub(cells[place], 2))
                if from <= cell[1] and cell[1] < to and contains(cell[4], limit.scope) then
                    redis.call('HINCRBY', counters, 's' .. field, cells[place + 1])
                end
            end
        end
    end
    for _, value in ipairs(redis.call('HVALS', open)) do
        local held = read_open(value)
        local at = tonumber(held.at)
        if from <= at and at < to and contains(cjson.decode(held.scopes), limit.scope) then
            redis.call('HINCRBY', counters, 'r' .. field, held.amount)
        end
    end
end

local operations = {}

-- The limits are joined by the caller, who knows the stored ones of a version: another version is answered with them.
function operations.reserve()
    local version = redis.call('HGET', account, 'version') or '0'
    if version ~= given.version then
        return { 'limits', version, redis.call('HGET', account, 'limits') or '[]' }
    end
    expire()
    if redis.call('EXISTS', base .. ':closed:' .. given.id) == 1 or redis.call('HEXISTS', open, given.id) == 1 then
        return { 'reserved' }
    end
    local answer = { 'reserved' }
    for place, limit in ipairs(given.limits) do
        local field = ':' .. limit.from .. ':' .. limit.to .. ':' .. limit.scope
        if redis.call('HEXISTS', counters, 's' .. field) == 0 then
            make(limit, field)
        end
        local settled, reserved = redis.call('HGET', counters, 's' .. field), redis.call('HGET', counters, 'r' .. field)
        if exceeds(limit.cap, settled, reserved, given.amount) then
            if limit.hard then
                return { 'refused', tostring(place), settled, reserved }
            end
            table.insert(answer, tostring(place))
        end
    end
    count(given.scopes, given.at, '0', given.amount, '0')
    redis.call('HSET', open, given.id, given.amount .. '|' .. given.at .. '|' .. given.expires .. '|held|' .. given.scopes)
    redis.call('ZADD', leases, given.expires, given.id)
    return answer
end

-- Where `wins`, one that is not known stays closed for an hour: it may still be on its way.
function operations.close()
    local value = redis.call('HGET', open, given.id)
    if not value then
        if given.wins then
            redis.call('SET', base .. ':closed:' .. given.id, '1', 'EX', 3600)
        end
        return {}
    end
    local closing = read_open(value)
    redis.call('HDEL', open, given.id)
    redis.call('ZREM', leases, given.id)
    count(closing.scopes, closing.at, closing.amount, '0', given.cost)
    if given.used then
        local at = tonumber(closing.at)
        local hour = math.floor(at / 3600000000)
        local minute = string.format('%.0f', at - at % 60000000)
        local cell = '[' .. minute .. ',' .. given.provider .. ',' .. given.model .. ',' .. closing.scopes .. ']'
        local key = base .. ':hour:' .. string.format('%.0f', hour)
        redis.call('HINCRBY', key, 'n' .. cell, '1')
        redis.call('HINCRBY', key, 'u' .. cell, given.unpriced)
        redis.call('HINCRBY', key, 't' .. cell, given.tokens)
        redis.call('HINCRBY', key, 'c' .. cell, given.cost)
        redis.call('ZADD', hours, hour, string.format('%.0f', hour))
        for _, old in ipairs(redis.call('ZRANGEBYSCORE', hours, '-inf', '(' .. (hour - tonumber(given.keep)))) do
            redis.call('DEL', base .. ':hour:' .. old)
            redis.call('ZREM', hours, old)
        end
    end
    return {}
end

function operations.limits()
    return { redis.call('HGET', account, 'version') or '0', redis.call('HGET', account, 'limits') or '[]' }
end

-- Sets all limits, where nobody has since they were read.
function operations.set_limits()
    if (redis.call('HGET', account, 'version') or '0') ~= given.version then
        return {}
    end
    redis.call('HINCRBY', account, 'version', 1)
    redis.call('HSET', account, 'limits', given.limits)
    return { 'set' }
end

-- What is open, and the cells of the hours from one on.
function operations.history()
    local cells = {}
    for _, hour in ipairs(redis.call('ZRANGEBYSCORE', hours, given.from, '+inf')) do
        for _, piece in ipairs(redis.call('HGETALL', base .. ':hour:' .. hour)) do
            table.insert(cells, piece)
        end
    end
    return { redis.call('HVALS', open), cells }
end

return operations[operation]()
