-- QUEUED RUNNING ENDED [since when the one that waits longest could have begun]
local queued, running, oldest = 0, 0, nil
for _, queue in ipairs(call('SMEMBERS', base .. 'queues')) do
  local list = base .. 'waiting:' .. queue
  queued = queued + call('ZCARD', list)
  local ready = call('ZRANGE', list, 0, 0, 'WITHSCORES')[2]
  if ready then
    oldest = math.min(oldest or math.huge, tonumber(ready))
  end
end
for _, tenant in ipairs(call('SMEMBERS', base .. 'tenants')) do
  running = running + call('ZCARD', base .. 'leases:' .. tenant)
end
return { queued, running, call('ZCARD', base .. 'ended'), oldest }
