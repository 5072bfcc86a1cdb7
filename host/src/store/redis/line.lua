local function queue_of(lane)
  return string.match(lane, '|([^|]*)|')
end

local function leases(lane)
  return base .. 'leases:' .. string.sub(lane, 3)
end

-- A lane that is served, or gets its first task, takes the next turn.
local function take_turn(lane)
  local rank = (9 - string.sub(lane, 1, 1)) * 2 ^ 44 + call('INCR', base .. 'turn')
  call('ZADD', base .. 'lanes', whole(rank), lane)
end

local function wait_in_lane(id, lane, at_front)
  local list = base .. 'lane:' .. lane
  local which = at_front and 0 or -1
  local edge = call('ZRANGE', list, which, which, 'WITHSCORES')[2]
  if edge then
    call('ZADD', list, edge + (at_front and -1 or 1), id)
  else
    call('SADD', base .. 'queues', queue_of(lane))
    call('ZADD', list, 0, id)
    take_turn(lane)
  end
end

-- `ready` is in ms.
local function line_up(id, lane, ready, at_front)
  wait_in_lane(id, lane, at_front)
  call('ZADD', base .. 'waiting:' .. queue_of(lane), ready, id)
end
