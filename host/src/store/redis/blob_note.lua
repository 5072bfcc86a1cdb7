-- digest
-- Notes that a blob is stored now: what is not noted is never collected.
call('ZADD', base .. 'blobs', whole(millis), ARGV[2])
return { 'ok', whole(millis) }
