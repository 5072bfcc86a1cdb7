-- QUEUED RUNNING ENDED [since when the one that waits longest could have begun]
local counts = {}
for _, state in ipairs({ 'queued', 'running', 'ended' }) do
  counts[#counts + 1] = whole(call('ZCARD', base .. 'state:' .. state))
end
local oldest = call('ZRANGE', base .. 'waiting', 0, 0, 'WITHSCORES')
if oldest[2] then
  counts[4] = whole(tonumber(oldest[2]))
end
return counts
