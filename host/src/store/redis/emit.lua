-- id fence event…
-- ok LAST · stale
local id, fence = unpack(ARGV, 2, 3)
local is = call('HMGET', base .. 'task:' .. id, 'state', 'fence')
if is[1] ~= 'running' or is[2] ~= fence then
  return { 'stale' }
end
local last = add_all(id, 4) or call('LLEN', base .. 'events:' .. id) + 1
wake()
return { 'ok', whole(last) }
