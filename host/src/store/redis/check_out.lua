-- worker
call('ZREM', base .. 'workers', ARGV[2])
call('HDEL', base .. 'worker-infos', ARGV[2])
return { 'ok' }
