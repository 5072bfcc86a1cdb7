-- NAME PAUSED QUEUED DELAYED RUNNING of each queue that is paused or holds tasks
local queues = {}
local function of(name)
  queues[name] = queues[name] or { name, 0, 0, 0, 0 }
  return queues[name]
end
for _, name in ipairs(call('SMEMBERS', base .. 'paused')) do
  of(name)[2] = 1
end
for _, tenant in ipairs(call('SMEMBERS', base .. 'tenants')) do
  local running = call('ZCARD', base .. 'leases:' .. tenant)
  if running > 0 then
    local queue = of(string.match(tenant, '^[^|]*'))
    queue[5] = queue[5] + running
  end
end
for _, name in ipairs(call('SMEMBERS', base .. 'queues')) do
  local list = base .. 'waiting:' .. name
  local waiting = call('ZCARD', list)
  if waiting > 0 then
    of(name)[3] = waiting
    of(name)[4] = call('ZCOUNT', list, '(' .. whole(millis), '+inf')
  else
    call('SREM', base .. 'queues', name)
  end
end
local found = {}
for _, queue in pairs(queues) do
  found[#found + 1] = queue
end
return found
