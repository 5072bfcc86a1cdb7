-- queued or running, and how many at most
-- Their ids, or nothing where there are more.
local sets, lists = 'queues', 'waiting:'
if ARGV[2] == 'running' then
  sets, lists = 'tenants', 'leases:'
end
local most, found = tonumber(ARGV[3]), {}
for _, name in ipairs(call('SMEMBERS', base .. sets)) do
  local list = base .. lists .. name
  if #found + call('ZCARD', list) > most then
    return false
  end
  for _, id in ipairs(call('ZRANGE', list, 0, -1)) do
    found[#found + 1] = id
  end
end
return found
