-- id mark position dead, then record, journal and events, each as a count of words and these
-- What the lists know of a task follows from its record, whose field `put` is the mark.
-- ok · there: another has put it
local id, mark, position, dead = unpack(ARGV, 2, 5)
if call('EXISTS', record(id)) == 1 then
  return { call('HGET', record(id), 'put') == mark and 'ok' or 'there' }
end
local at = 6
local function words()
  local first, last = at + 1, at + tonumber(ARGV[at])
  at = last + 1
  return first, last
end
for _, key in ipairs({ record(id), base .. 'journal:' .. id }) do
  local first, last = words()
  for word = first, last, 2 do
    call('HSET', key, ARGV[word], ARGV[word + 1])
  end
end
call('HSET', record(id), 'put', mark)
local first, last = words()
for word = first, last, 3 do
  call('XADD', base .. 'events:' .. id, ARGV[word], 'at', ARGV[word + 1], 'body', ARGV[word + 2])
end

local is = call('HMGET', record(id), 'state', 'pipeline', 'ready', 'until', 'nonce', 'worker', 'cancel', 'end')
local state, pipeline, ready, till, nonce, worker, cancel, ended = unpack(is, 1, 8)
call('ZADD', base .. 'ids', 0, id)
call('ZADD', base .. 'state:' .. state, 0, id)
call('ZADD', base .. 'pipeline:' .. pipeline, 0, id)
if state == 'queued' then
  local queue, _, priority, lane = place(id)
  enter(id, ready)
  if position == '' then
    call('ZADD', base .. 'delayed', ready, id .. '|' .. queue)
  else
    if call('EXISTS', base .. 'lane:' .. lane) == 0 then take_turn(lane, priority) end
    call('ZADD', base .. 'lane:' .. lane, position, id)
  end
elseif state == 'running' then
  count_running(id, 1)
  call('ZADD', base .. 'leases', till, id)
  call('HSET', base .. 'claims', nonce .. ':' .. worker, id)
  if cancel == '1' then call('SADD', base .. 'cancels', id) end
else
  call('ZADD', base .. 'ended', ended, id)
  if dead == '1' then call('ZADD', base .. 'dead', 0, id) end
end
wake()
return { 'ok' }
