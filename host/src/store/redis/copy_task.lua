-- id
-- none · task RECORD EVENTS JOURNAL POSITION, the last empty for one that is in no lane
local id = ARGV[2]
if call('EXISTS', record(id)) == 0 then
  return { 'none' }
end
local _, _, _, lane = place(id)
return { 'task', call('HGETALL', record(id)), call('XRANGE', base .. 'events:' .. id, '-', '+'),
  call('HGETALL', base .. 'journal:' .. id), call('ZSCORE', base .. 'lane:' .. lane, id) or '' }
