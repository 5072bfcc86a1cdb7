-- queue paused
call(ARGV[3] == '1' and 'SADD' or 'SREM', base .. 'paused', ARGV[2])
wake()
return { 'ok' }
