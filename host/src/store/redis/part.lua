-- id rev overdue how crashes event progress roots dead past
-- Takes a running task from its worker: to its end where `progress` is given, else to the front of its
-- lane. `overdue` is 1 where that is right only if the lease has run out.
-- ok · changed: what was read to decide it is no longer so
local id, rev, overdue, how, crashes, event, progress, roots, dead, past = unpack(ARGV, 2)
local task = base .. 'task:' .. id
local is = call('HMGET', task, 'state', 'rev', 'lane', 'claim', 'cancel', 'sub', 'ready')
if is[1] ~= 'running' or is[2] ~= rev then
  return { 'changed' }
end
if overdue == '1' and tonumber(call('ZSCORE', leases(is[3]), id) or '0') > now then
  return { 'changed' }
end
take(id, is[3], is[4], is[5])
call('HSET', task, 'crashes', crashes, 'rev', whole(rev + 1))
if how ~= '' then
  call('HSET', task, 'gave', how)
end
add(id, event)
if progress == '' then
  call('HSET', task, 'state', 'queued')
  line_up(id, is[3], is[7] or is[6], true)
else
  ended(id, dead, past, 'progress', progress, 'roots', roots)
end
wake()
return { 'ok' }
