-- id fence
-- ok CANCEL · stale
local id, fence = unpack(ARGV, 2)
if not held(id, fence) then
  return { 'stale' }
end
local is = call('HMGET', record(id), 'term', 'cancel')
local till = whole(now + tonumber(is[1]))
call('HSET', record(id), 'until', till)
call('ZADD', base .. 'leases', till, id)
return { 'ok', is[2] }
