-- most skip
-- The tasks that wait and whose deadline has passed, the earliest first; how many of the list were looked at and stay in
-- it; whether there are more. Those that need none any more leave it here, and not when they end: what ends does so more
-- often than a deadline passes.
local most, skip = tonumber(ARGV[2]), tonumber(ARGV[3])
local page = call('ZRANGE', base .. 'deadlines', '-inf', whole(millis), 'BYSCORE', 'LIMIT', skip, 1000)
local found, stay = {}, 0
for at, id in ipairs(page) do
  local is = call('HMGET', base .. 'task:' .. id, 'state', 'lane')
  if is[1] == 'ended' or not is[2] then
    call('ZREM', base .. 'deadlines', id)
  else
    stay = stay + 1
    if is[1] ~= 'running' then
      found[#found + 1] = id
    end
  end
  if #found == most then
    return { found, stay, at < #page or #page == 1000 }
  end
end
return { found, stay, #page == 1000 }
