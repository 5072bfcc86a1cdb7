-- id rev event progress roots ended
-- ended · requested · already · changed: what was read to end it is no longer so
local id, rev, event, progress, roots, ended = unpack(ARGV, 2)
local is = call('HMGET', record(id), 'state', 'rev', 'cancel')
if is[2] ~= rev then
  return { 'changed' }
end
if is[1] == 'ended' then
  return { 'already' }
end
if is[3] == '0' then
  call('HSET', record(id), 'cancel', '1')
  add(id, event)
end
changed(id)
wake()
if is[1] == 'running' then
  call('SADD', base .. 'cancels', id)
  return { 'requested' }
end
finish(id, '', progress, roots, ended, '0')
return { 'ended' }
