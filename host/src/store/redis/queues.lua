-- NAME PAUSED QUEUED DELAYED RUNNING of each queue that is paused or holds tasks
local queues = {}
local function queue(name)
  queues[name] = queues[name] or { paused = 0, q = 0, d = 0, r = 0 }
  return queues[name]
end
local counts = call('HGETALL', base .. 'counts')
for at = 1, #counts, 2 do
  local what, name = string.match(counts[at], '^([qr]):(.*)$')
  if what then
    queue(name)[what] = counts[at + 1]
  end
end
for _, name in ipairs(call('SMEMBERS', base .. 'paused')) do
  queue(name).paused = 1
end
for _, member in ipairs(call('ZRANGE', base .. 'delayed', '(' .. whole(millis), '+inf', 'BYSCORE')) do
  local of = queue(string.match(member, '|(.*)$'))
  of.d = of.d + 1
end
local found = {}
for name, of in pairs(queues) do
  found[#found + 1] = { name, of.paused, of.q, of.d, of.r }
end
return found
