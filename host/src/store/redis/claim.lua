-- worker nonce term first-event again-event limits
-- none · task ID RECORD
local worker, nonce, term, first, again, limits = unpack(ARGV, 2)
local claim = nonce .. ':' .. worker
local id = call('HGET', base .. 'claims', claim)
if id then
  local is = call('HMGET', record(id), 'until', 'term')
  if is[1] and tonumber(is[1]) > now then
    local till = whole(now + tonumber(is[2]))
    call('HSET', record(id), 'until', till)
    call('ZADD', base .. 'leases', till, id)
    return { 'task', id, call('HGETALL', record(id)) }
  end
end

-- Those whose time has come join their lanes.
for _, due in ipairs(call('ZRANGE', base .. 'delayed', '-inf', whole(millis), 'BYSCORE')) do
  call('ZREM', base .. 'delayed', due)
  line_up(string.match(due, '^[^|]*'), false)
end

limits = limits ~= '' and cjson.decode(limits)
local function below(limit, field)
  return not limit or tonumber(call('HGET', base .. 'counts', field) or '0') < limit
end
local function may_run(queue, tenant)
  if call('SISMEMBER', base .. 'paused', queue) == 1 then
    return false
  end
  if not limits then
    return true
  end
  local most = limits.queues[queue] or limits.default
  return below(most.running, 'r:' .. queue) and below(most.running_per_tenant, 't:' .. queue .. '|' .. tenant)
end
local function next_lane()
  for from = 0, math.huge, 32 do
    local lanes = call('ZRANGE', base .. 'lanes', from, from + 31)
    for _, lane in ipairs(lanes) do
      local priority, queue, tenant = string.match(lane, '^(%d+)|([^|]*)|(.*)$')
      if may_run(queue, tenant) then
        return lane, priority
      end
    end
    if #lanes < 32 then
      return nil
    end
  end
end

local lane, priority
repeat
  lane, priority = next_lane()
  if not lane then
    return { 'none' }
  end
  id = call('ZRANGE', base .. 'lane:' .. lane, 0, 0)[1]
  if id and call('EXISTS', record(id)) == 0 then
    -- An entry without a task holds up no other; `fsck` finds it in the list of ids.
    call('ZREM', base .. 'lane:' .. lane, id)
    call('ZREM', base .. 'waiting', id)
    count('q:' .. string.match(lane, '^%d+|([^|]*)'), -1)
    id = nil
  end
  if not id and call('EXISTS', base .. 'lane:' .. lane) == 0 then
    call('ZREM', base .. 'lanes', lane)
  end
until id
leave(id)
if call('EXISTS', base .. 'lane:' .. lane) == 1 then
  take_turn(lane, priority)
end
local fence = call('HGET', record(id), 'fence')
fence = tonumber(fence)
local till = whole(now + tonumber(term))
call('HSET', record(id), 'worker', worker, 'nonce', nonce, 'fence', whole(math.max(now, fence + 1)),
  'term', term, 'until', till)
call('HDEL', record(id), 'gave', 'commit')
call('HSETNX', record(id), 'start', whole(millis))
move(id, 'queued', 'running')
changed(id)
count_running(id, 1)
call('ZADD', base .. 'leases', till, id)
call('HSET', base .. 'claims', claim, id)
add(id, fence > 0 and again or first)
wake()
return { 'task', id, call('HGETALL', record(id)) }
