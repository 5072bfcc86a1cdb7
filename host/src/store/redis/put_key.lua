-- mark name until-ms, then the fields
-- Puts an idempotency key, unless it is there: whoever asked with it has been told its task.
local mark, name = ARGV[2], base .. 'key:' .. ARGV[3]
if call('EXISTS', name) == 0 then
  call('HSET', name, 'put', mark, unpack(ARGV, 5))
  call('PEXPIREAT', name, ARGV[4])
end
return { 'ok' }
