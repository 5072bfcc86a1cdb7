-- id fence
-- ok CANCEL · stale
local id, fence = unpack(ARGV, 2)
local is = call('HMGET', base .. 'task:' .. id, 'state', 'fence', 'term', 'cancel', 'lane')
if is[1] ~= 'running' or is[2] ~= fence then
  return { 'stale' }
end
call('ZADD', leases(is[5]), whole(now + is[3]), id)
return { 'ok', is[4] or '0' }
