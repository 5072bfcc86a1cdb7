-- id rev event progress roots ended past
-- ended · requested · already · changed: what was read to end it is no longer so
local id, rev, event, progress, roots, last, past = unpack(ARGV, 2)
local task = base .. 'task:' .. id
local is = call('HMGET', task, 'state', 'rev', 'cancel', 'lane')
-- One that is gone has no lane: its revision would count as that of a new one.
if not is[4] or (is[2] or '0') ~= rev then
  return { 'changed' }
end
if is[1] == 'ended' then
  return { 'already' }
end
if is[3] ~= '1' then
  call('HSET', task, 'cancel', '1')
  add(id, event)
end
call('HSET', task, 'rev', whole(rev + 1))
wake()
if is[1] == 'running' then
  call('SADD', base .. 'cancels', id)
  return { 'requested' }
end
leave(id, is[4])
ended(id, '0', past, 'progress', progress, 'roots', roots)
add(id, last)
return { 'ended' }
