-- id rev overdue how crashes event progress roots dead
-- Takes a running task from its worker: to its end where `progress` is given, else to the front of its
-- lane. `overdue` is 1 where that is right only if the lease has run out.
-- ok · changed: what was read to decide it is no longer so
local id, rev, overdue, how, crashes, event, progress, roots, dead = unpack(ARGV, 2)
local is = call('HMGET', record(id), 'state', 'rev', 'until')
if is[1] ~= 'running' or is[2] ~= rev or (overdue == '1' and tonumber(is[3]) > now) then
  return { 'changed' }
end
call('HSET', record(id), 'crashes', crashes)
if progress == '' then
  add(id, event)
  requeue(id, how)
else
  finish(id, how, progress, roots, event, dead)
end
changed(id)
wake()
return { 'ok' }
