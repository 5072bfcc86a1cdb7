-- id rev event progress roots past
-- Ends a task that waits.
-- ok · changed: what was read to decide it is no longer so
local id, rev, event, progress, roots, past = unpack(ARGV, 2)
local task = base .. 'task:' .. id
local is = call('HMGET', task, 'state', 'rev', 'lane')
if not is[3] or is[1] == 'running' or is[1] == 'ended' or (is[2] or '0') ~= rev then
  return { 'changed' }
end
leave(id, is[3])
ended(id, '0', past, 'progress', progress, 'roots', roots, 'rev', whole(rev + 1))
call('ZREM', base .. 'deadlines', id)
add(id, event)
wake()
return { 'ok' }
