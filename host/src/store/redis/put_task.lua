-- id mark position until dead deadline, then record, journal and events, each as a count of words and these
-- What the lists know of a task follows from its record, whose field `put` is the mark.
-- ok · there: another has put it
local id, mark, position, till, dead, deadline = unpack(ARGV, 2, 7)
local task = base .. 'task:' .. id
if call('EXISTS', task) == 1 then
  return { call('HGET', task, 'put') == mark and 'ok' or 'there' }
end
local at = 8
local function words()
  local first, last = at + 1, at + ARGV[at]
  at = last + 1
  return first, last
end
for _, key in ipairs({ task, base .. 'journal:' .. id }) do
  local first, last = words()
  for word = first, last, 2 do
    call('HSET', key, ARGV[word], ARGV[word + 1])
  end
end
call('HSET', task, 'put', mark)
local first, last = words()
for word = first, last do
  call('RPUSH', base .. 'events:' .. id, ARGV[word])
end

local is = call('HMGET', task, 'state', 'pipeline', 'sub', 'ready', 'claim', 'cancel', 'end', 'lane')
local state, pipeline, sub, ready, claim, cancel, gone, lane = unpack(is, 1, 8)
call('ZADD', base .. 'ids', 0, id)
call('ZADD', base .. 'pipeline:' .. pipeline, 0, id)
if deadline ~= '' and state ~= 'ended' then
  call('ZADD', base .. 'deadlines', deadline, id)
end
if state == 'running' then
  call('SADD', base .. 'tenants', string.sub(lane, 3))
  call('ZADD', leases(lane), till, id)
  call('HSET', base .. 'claims', claim, id)
  if cancel == '1' then call('SADD', base .. 'cancels', id) end
elseif state == 'ended' then
  call('ZADD', base .. 'ended', gone, id)
  if dead == '1' then call('ZADD', base .. 'dead', 0, id) end
else
  call('SADD', base .. 'queues', queue_of(lane))
  call('ZADD', base .. 'waiting:' .. queue_of(lane), ready or sub, id)
  if position == '' then
    call('ZADD', base .. 'delayed', ready or sub, id)
  else
    if call('EXISTS', base .. 'lane:' .. lane) == 0 then take_turn(lane) end
    call('ZADD', base .. 'lane:' .. lane, position, id)
  end
end
wake()
return { 'ok' }
