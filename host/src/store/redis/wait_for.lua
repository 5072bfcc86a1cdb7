-- Until then it is in no lane.
local function wait_for(id, lane, ready)
  local queue = queue_of(lane)
  call('SADD', base .. 'queues', queue)
  call('ZADD', base .. 'delayed', ready, id)
  call('ZADD', base .. 'waiting:' .. queue, ready, id)
end
