-- id fence event
-- ok · stale · cancelled: it has to end instead
local id, fence, event = unpack(ARGV, 2)
local task = base .. 'task:' .. id
local is = call('HMGET', task, 'state', 'fence', 'gave', 'rev', 'lane', 'claim', 'cancel', 'sub', 'ready')
if is[2] == fence and is[3] == 'released' then
  return { 'ok' }
end
if is[1] ~= 'running' or is[2] ~= fence then
  return { 'stale' }
end
if is[7] == '1' then
  return { 'cancelled' }
end
take(id, is[5], is[6], is[7])
call('HSET', task, 'state', 'queued', 'gave', 'released', 'rev', whole(is[4] + 1))
line_up(id, is[5], is[9] or is[8], true)
add(id, event)
wake()
return { 'ok' }
