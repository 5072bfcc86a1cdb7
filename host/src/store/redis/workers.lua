-- lives-ms
-- SEEN-AT INFO of each worker that has checked in lately; forgets the others.
for _, gone in ipairs(call('ZRANGE', base .. 'workers', '-inf', whole(millis - tonumber(ARGV[2])), 'BYSCORE')) do
  call('ZREM', base .. 'workers', gone)
  call('HDEL', base .. 'worker-infos', gone)
end
local found = {}
local workers = call('ZRANGE', base .. 'workers', 0, -1, 'WITHSCORES')
for at = 1, #workers, 2 do
  found[#found + 1] = { whole(tonumber(workers[at + 1])), call('HGET', base .. 'worker-infos', workers[at]) }
end
return found
