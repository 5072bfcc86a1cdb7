-- ARGV[1] is the time in µs, or empty for the server's.
local now
if ARGV[1] == '' then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
else
  now = tonumber(ARGV[1])
end
local millis = math.floor(now / 1000)
