-- claim term first-event again-event, then either nothing or limits: of running tasks, and of a tenant's, by
-- default, then a queue's name and its two, for each; an empty one is none. `claim` is NONCE:WORKER.
-- none · task ID RECORD
local claim, term, first, again = unpack(ARGV, 2, 5)
local worker = string.match(claim, ':(.*)')

local function granted(id, is)
  return { 'task', id, is }
end

local id = call('HGET', base .. 'claims', claim)
if id then
  local is = call('HMGET', base .. 'task:' .. id, unpack(fields))
  local list = leases(is[LANE] or '')
  local till = call('ZSCORE', list, id)
  if till and tonumber(till) > now then
    call('ZADD', list, whole(now + is[TERM]), id)
    return granted(id, is)
  end
end
local lapsed = id

-- Those whose time has come join their lanes.
for _, due in ipairs(call('ZRANGE', base .. 'delayed', '-inf', whole(millis), 'BYSCORE')) do
  call('ZREM', base .. 'delayed', due)
  local lane = call('HGET', base .. 'task:' .. due, 'lane')
  if lane then
    wait_in_lane(due, lane, false)
  end
end

local limits = {}
for at = 8, #ARGV, 3 do
  limits[ARGV[at]] = { ARGV[at + 1], ARGV[at + 2] }
end
local running
local function running_in(queue)
  if not running then
    running = {}
    for _, tenant in ipairs(call('SMEMBERS', base .. 'tenants')) do
      local of = string.match(tenant, '^[^|]*')
      running[of] = (running[of] or 0) + call('ZCARD', base .. 'leases:' .. tenant)
    end
  end
  return running[queue] or 0
end
local function may_run(lane)
  local queue = queue_of(lane)
  if call('SISMEMBER', base .. 'paused', queue) == 1 then
    return false
  end
  local most, of_tenant = ARGV[6] or '', ARGV[7] or ''
  if limits[queue] then
    most, of_tenant = unpack(limits[queue])
  end
  return (most == '' or running_in(queue) < tonumber(most))
    and (of_tenant == '' or call('ZCARD', leases(lane)) < tonumber(of_tenant))
end

-- Also whether it is the only one.
local function next_lane()
  local from, size = 0, 2
  repeat
    local lanes = call('ZRANGE', base .. 'lanes', from, from + size - 1)
    for _, lane in ipairs(lanes) do
      if may_run(lane) then
        return lane, from == 0 and #lanes == 1
      end
    end
    local last = #lanes < size
    from, size = from + size, 32
  until last
end

local is
repeat
  local lane, alone = next_lane()
  if not lane then
    return { 'none' }
  end
  local list = base .. 'lane:' .. lane
  id = call('ZPOPMIN', list)[1]
  if call('EXISTS', list) == 0 then
    call('ZREM', base .. 'lanes', lane)
  elseif not alone then
    take_turn(lane)
  end
  if id then
    call('ZREM', base .. 'waiting:' .. queue_of(lane), id)
    is = call('HMGET', base .. 'task:' .. id, unpack(fields))
  end
  -- An entry without a task holds up no other.
until id and is[LANE]

local fence = math.max(now, (is[FENCE] or 0) + 1)
local began_before = is[FENCE]
is[STATE], is[CLAIM], is[FENCE], is[TERM] = 'running', claim, whole(fence), term
is[START] = is[START] or whole(millis)
is[REV] = whole((is[REV] or 0) + 1)
local task = base .. 'task:' .. id
call('HSET', task, 'state', 'running', 'claim', claim, 'fence', is[FENCE], 'term', term, 'start', is[START],
  'rev', is[REV])
if is[GAVE] or is[COMMIT] then
  call('HDEL', task, 'gave', 'commit')
  is[GAVE], is[COMMIT] = false, false
end
call('SADD', base .. 'tenants', string.sub(is[LANE], 3))
call('ZADD', leases(is[LANE]), whole(now + term), id)
if lapsed then
  -- Its worker, which may yet give it up, no longer has this claim.
  call('HSET', base .. 'task:' .. lapsed, 'claim', '-:' .. worker)
end
call('HSET', base .. 'claims', claim, id)
add(id, began_before and again or first)
wake()
return granted(id, is)
