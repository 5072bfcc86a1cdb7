-- most
-- How many have left the list, and the tasks that wait and whose deadline has passed, the earliest first. Those that
-- need none any more leave it here, and not when they end: what ends does so more often than a deadline passes.
local found, cleared = {}, 0
for _, id in ipairs(call('ZRANGE', base .. 'deadlines', '-inf', whole(millis), 'BYSCORE', 'LIMIT', 0, 1000)) do
  local is = call('HMGET', base .. 'task:' .. id, 'state', 'lane')
  if is[1] == 'ended' or not is[2] then
    cleared = cleared + call('ZREM', base .. 'deadlines', id)
  elseif is[1] ~= 'running' and #found < tonumber(ARGV[2]) then
    found[#found + 1] = id
  end
end
return { cleared, found }
