-- id
-- RECORD and JOURNAL, whether it is in: waiting, delayed, its lane, and that in the lanes, leases, ended; and
-- whether its queue is among the queues, its tenant among the tenants
local id = ARGV[2]
local is = call('HMGET', base .. 'task:' .. id, unpack(fields))
local lane = is[LANE] or ''
local found = { is, call('HGETALL', base .. 'journal:' .. id) }
for at, list in ipairs({ 'waiting:' .. (queue_of(lane) or ''), 'delayed', 'lane:' .. lane, 'lanes', 'x', 'ended' }) do
  local key = base .. list
  if at == 5 then
    key = leases(lane)
  end
  found[at + 2] = call('ZSCORE', key, at == 4 and lane or id) and 1 or 0
end
found[9] = call('SISMEMBER', base .. 'queues', queue_of(lane) or '')
found[10] = call('SISMEMBER', base .. 'tenants', string.sub(lane, 3))
return found
