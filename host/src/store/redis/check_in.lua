-- worker info
call('ZADD', base .. 'workers', whole(millis), ARGV[2])
call('HSET', base .. 'worker-infos', ARGV[2], ARGV[3])
return { 'ok' }
