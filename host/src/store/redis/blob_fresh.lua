-- fresh-ms; KEYS[1] is the blob
-- Whether it is there and was stored so lately that storing it again is needless.
local at = call('HGET', base, 'at')
return (at and millis < tonumber(at) + tonumber(ARGV[2])) and 1 or 0
