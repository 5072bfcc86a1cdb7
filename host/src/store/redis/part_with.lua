-- Takes a queued task from its queue.
local function leave(id, lane)
  call('ZREM', base .. 'waiting:' .. queue_of(lane), id)
  local list = base .. 'lane:' .. lane
  if call('ZREM', list, id) == 0 then
    call('ZREM', base .. 'delayed', id)
  elseif call('EXISTS', list) == 0 then
    call('ZREM', base .. 'lanes', lane)
  end
end

-- Takes a task from its worker. `cancel` and `claim` are the record's.
local function take(id, lane, claim, cancel)
  call('HDEL', base .. 'claims', claim)
  call('ZREM', leases(lane), id)
  if cancel == '1' then
    call('SREM', base .. 'cancels', id)
  end
end

local function part_with(id, state, lane, claim, cancel)
  if state == 'running' then
    take(id, lane, claim, cancel)
  else
    leave(id, lane)
  end
end

-- Notes that it ends now, with what is written of that: fields and values. `past` holds for this end alone.
local function ended(id, dead, past, ...)
  local at = whole(millis)
  call('HSET', base .. 'task:' .. id, 'state', 'ended', 'end', at, 'past', at .. ' ' .. past, ...)
  call('ZADD', base .. 'ended', whole(millis), id)
  if dead == '1' then
    call('ZADD', base .. 'dead', 0, id)
  end
end
