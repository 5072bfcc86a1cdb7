-- stored-at-ms packed bytes; KEYS[1] is the blob
-- `packed` is 1 where the bytes are compressed with zstd.
local at = tonumber(call('HGET', base, 'at') or '0')
call('HSET', base, 'at', whole(math.max(at, tonumber(ARGV[2]))), 'packed', ARGV[3], 'bytes', ARGV[4])
return { 'ok' }
