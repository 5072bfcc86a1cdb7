-- model requests tokens minute: how much one takes of each bucket, and what they hold, in µs
-- How many µs to wait, or 0: it was taken
local key = base .. 'rate:' .. ARGV[2]
local full = call('HMGET', key, 'requests', 'tokens')
local requests = math.max(tonumber(full[1] or '0'), now) + ARGV[3]
local tokens = math.max(tonumber(full[2] or '0'), now) + ARGV[4]
local missing = math.max(requests, tokens) - now - ARGV[5]
if missing > 0 then
  return whole(missing)
end
call('HSET', key, 'requests', whole(requests), 'tokens', whole(tokens))
call('PEXPIRE', key, 120000)
return '0'
