-- most
-- The tasks that wait and whose deadline has passed, the earliest first. Those that need none any more leave the
-- list here, and not when they end: what ends does so more often than a deadline passes.
local found = {}
for _, id in ipairs(call('ZRANGE', base .. 'deadlines', '-inf', whole(millis), 'BYSCORE', 'LIMIT', 0, 1000)) do
  local is = call('HMGET', base .. 'task:' .. id, 'state', 'lane')
  if is[1] == 'ended' or not is[2] then
    call('ZREM', base .. 'deadlines', id)
  elseif is[1] ~= 'running' and #found < tonumber(ARGV[2]) then
    found[#found + 1] = id
  end
end
return found
