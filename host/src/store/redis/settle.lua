-- model by: by how much its bucket of tokens is full later than was said, in µs
local key = base .. 'rate:' .. ARGV[2]
local tokens = call('HGET', key, 'tokens')
if tokens then
  call('HSET', key, 'tokens', whole(math.max(0, tokens + ARGV[3])))
end
return 1
