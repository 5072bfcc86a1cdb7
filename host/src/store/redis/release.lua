-- id fence event
-- ok · stale · cancelled: it has to end instead
local id, fence, event = unpack(ARGV, 2)
if gave_up(id, fence, 'released') then
  return { 'ok' }
end
if not held(id, fence) then
  return { 'stale' }
end
if call('HGET', record(id), 'cancel') == '1' then
  return { 'cancelled' }
end
add(id, event)
requeue(id, 'released')
changed(id)
wake()
return { 'ok' }
