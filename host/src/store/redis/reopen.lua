-- id rev progress roots event
-- Puts a task that has ended back into its queue.
-- ok · changed: what was read to decide it is no longer so
local id, rev, progress, roots, event = unpack(ARGV, 2)
local is = call('HMGET', record(id), 'state', 'rev')
if is[1] ~= 'ended' or is[2] ~= rev then
  return { 'changed' }
end
move(id, 'ended', 'queued')
call('ZREM', base .. 'ended', id)
call('ZREM', base .. 'dead', id)
call('HDEL', record(id), 'end', 'gave')
call('HSET', record(id), 'cancel', '0', 'crashes', '0', 'ready', whole(millis), 'progress', progress, 'roots', roots)
add(id, event)
line_up(id, false)
enter(id, whole(millis))
changed(id)
wake()
return { 'ok' }
