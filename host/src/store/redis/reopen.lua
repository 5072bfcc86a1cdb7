-- id rev progress roots event deadline
-- Puts a task that has ended back into its queue.
-- ok · changed: what was read to decide it is no longer so
local id, rev, progress, roots, event, deadline = unpack(ARGV, 2)
local task = base .. 'task:' .. id
local is = call('HMGET', task, 'state', 'rev', 'lane')
if is[1] ~= 'ended' or is[2] ~= rev then
  return { 'changed' }
end
call('ZREM', base .. 'ended', id)
call('ZREM', base .. 'dead', id)
call('HDEL', task, 'end', 'gave', 'cancel', 'crashes', 'past')
call('HSET', task, 'state', 'queued', 'ready', whole(millis), 'progress', progress, 'roots', roots,
  'rev', whole(rev + 1))
if deadline ~= '' then
  call('ZADD', base .. 'deadlines', deadline, id)
end
add(id, event)
line_up(id, is[3], whole(millis), false)
wake()
return { 'ok' }
