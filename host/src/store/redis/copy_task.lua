-- id
-- none · task RECORD EVENTS JOURNAL POSITION UNTIL: in its lane, of its lease; empty where it has none
local id = ARGV[2]
local task = base .. 'task:' .. id
local lane = call('HGET', task, 'lane')
if not lane then
  return { 'none' }
end
return { 'task', call('HGETALL', task), call('LRANGE', base .. 'events:' .. id, 0, -1),
  call('HGETALL', base .. 'journal:' .. id), call('ZSCORE', base .. 'lane:' .. lane, id) or '',
  call('ZSCORE', leases(lane), id) or '' }
