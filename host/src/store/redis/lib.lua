-- What every script begins with. KEYS[1] is what the store's key names begin with, in one hash tag;
-- ARGV[1] is the time in µs, or empty for the server's. Fences are compared as text: they are exact.
-- A record is a hash:
--   state, cancel, worker, nonce, fence, term, until, gave, commit, last, crashes, sub, start, end:
--     the store's part; `until` is the end of the lease in µs, `last` the number of events
--   spec, progress: JSON; pipeline: its name; tree: the spec's snapshot; roots: the progress's
--   queue, tenant, priority, after: its place; ready: since when it could have begun, in ms
--   rev: grows with every change but those of events and leases
local base = KEYS[1]
local call = redis.call

local now
if ARGV[1] == '' then
  local time = call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
else
  now = tonumber(ARGV[1])
end
local millis = math.floor(now / 1000)

-- Lua would write 1e+15.
local function whole(number)
  return string.format('%.0f', number)
end

local function record(id)
  return base .. 'task:' .. id
end

local function add(id, body)
  local number = call('HINCRBY', record(id), 'last', 1)
  call('XADD', base .. 'events:' .. id, whole(number) .. '-0', 'at', whole(millis), 'body', body)
  return number
end

-- Adds ARGV[first] and all that follow.
local function add_all(id, first)
  for at = first, #ARGV do
    add(id, ARGV[at])
  end
end

local function changed(id)
  call('HINCRBY', record(id), 'rev', 1)
end

-- Wakes those who watch. Holds one entry, which says nothing.
local function wake()
  call('XADD', base .. 'wake', 'MAXLEN', 1, '*', 'w', '1')
end

local function move(id, from, to)
  call('HSET', record(id), 'state', to)
  call('ZREM', base .. 'state:' .. from, id)
  call('ZADD', base .. 'state:' .. to, 0, id)
end

local function held(id, fence)
  local is = call('HMGET', record(id), 'state', 'fence')
  return is[1] == 'running' and is[2] == fence
end

local function gave_up(id, fence, how)
  local is = call('HMGET', record(id), 'fence', 'gave')
  return is[1] == fence and is[2] == how
end

-- A counter that is 0 is not kept.
local function count(field, by)
  if call('HINCRBY', base .. 'counts', field, by) == 0 then
    call('HDEL', base .. 'counts', field)
  end
end

-- A task's queue, tenant and priority, and the name of its lane.
local function place(id)
  local is = call('HMGET', record(id), 'queue', 'tenant', 'priority')
  return is[1], is[2], is[3], is[3] .. '|' .. is[1] .. '|' .. is[2]
end

-- A lane that is served, or gets its first task, takes the next turn.
local function take_turn(lane, priority)
  local rank = (9 - tonumber(priority)) * 2 ^ 44 + call('INCR', base .. 'turn')
  call('ZADD', base .. 'lanes', whole(rank), lane)
end

local function line_up(id, at_front)
  local _, _, priority, lane = place(id)
  local which = at_front and 0 or -1
  local edge = call('ZRANGE', base .. 'lane:' .. lane, which, which, 'WITHSCORES')
  local position = 0
  if edge[2] then
    position = tonumber(edge[2]) + (at_front and -1 or 1)
  else
    take_turn(lane, priority)
  end
  call('ZADD', base .. 'lane:' .. lane, whole(position), id)
end

local function enter(id, ready)
  local queue = place(id)
  count('q:' .. queue, 1)
  call('ZADD', base .. 'waiting', ready, id)
end

local function leave(id)
  local queue, _, _, lane = place(id)
  count('q:' .. queue, -1)
  call('ZREM', base .. 'waiting', id)
  call('ZREM', base .. 'delayed', id .. '|' .. queue)
  if call('ZREM', base .. 'lane:' .. lane, id) == 1 and call('EXISTS', base .. 'lane:' .. lane) == 0 then
    call('ZREM', base .. 'lanes', lane)
  end
end

local function count_running(id, by)
  local queue, tenant = place(id)
  count('r:' .. queue, by)
  count('t:' .. queue .. '|' .. tenant, by)
end

-- Takes a task from its worker.
local function take(id)
  count_running(id, -1)
  local is = call('HMGET', record(id), 'worker', 'nonce')
  if is[1] then
    local claim = is[2] .. ':' .. is[1]
    -- Another lease of the same claim may have taken its place.
    if call('HGET', base .. 'claims', claim) == id then
      call('HDEL', base .. 'claims', claim)
    end
  end
  call('HDEL', record(id), 'worker')
  call('ZREM', base .. 'leases', id)
  call('SREM', base .. 'cancels', id)
end

-- To the front of its lane. `how` is empty where the worker did not part with it.
local function requeue(id, how)
  take(id)
  move(id, 'running', 'queued')
  if how == '' then call('HDEL', record(id), 'gave') else call('HSET', record(id), 'gave', how) end
  line_up(id, true)
  enter(id, call('HGET', record(id), 'ready'))
end

-- `dead` is 1 where it ended through no fault of its own.
local function finish(id, how, progress, roots, ended, dead)
  local from = call('HGET', record(id), 'state')
  if from == 'running' then take(id) else leave(id) end
  if dead == '1' then call('ZADD', base .. 'dead', 0, id) end
  move(id, from, 'ended')
  add(id, ended)
  if how ~= '' then call('HSET', record(id), 'gave', how) end
  call('HSET', record(id), 'end', whole(millis), 'progress', progress, 'roots', roots)
  call('ZADD', base .. 'ended', whole(millis), id)
end

-- Removes a task that is neither queued nor running, with all that is its own.
local function forget(id)
  call('ZREM', base .. 'pipeline:' .. (call('HGET', record(id), 'pipeline') or ''), id)
  call('UNLINK', record(id), base .. 'events:' .. id, base .. 'journal:' .. id)
  for _, list in ipairs({ 'state:queued', 'state:running', 'state:ended', 'ids', 'dead', 'ended' }) do
    call('ZREM', base .. list, id)
  end
end
