-- model requests tokens minute: how much one takes of each bucket, and what they hold, in µs
-- How many µs to wait, or 0: it was taken. Tokens are lent
local key = base .. 'rate:' .. ARGV[2]
local full = call('HMGET', key, 'requests', 'tokens')
local requests = math.max(tonumber(full[1] or '0'), now) + ARGV[3]
local tokens = math.max(tonumber(full[2] or '0'), now)
local missing = math.max(requests, tokens) - now - ARGV[5]
if missing > 0 then
  return whole(missing)
end
call('HSET', key, 'requests', whole(requests), 'tokens', whole(tokens + ARGV[4]))
-- Longer than debts last. No settling renews it: it is of a reservation that did, and one that comes later than
-- that finds a full bucket, as it should
call('PEXPIRE', key, 600000)
return '0'
