-- id claim event
-- Ends a running task whose record can't be read, so that it stands in no other's way. `claim` is the
-- one that holds it, or empty where that is right only if its lease has run out.
-- ok · changed: it is no longer so
local id, claim, event = unpack(ARGV, 2)
local is = call('HMGET', record(id), 'state', 'nonce', 'worker', 'until')
if is[1] ~= 'running' then
  return { 'changed' }
end
if claim == '' then
  if (tonumber(is[4]) or 0) > now then
    return { 'changed' }
  end
elseif claim ~= (is[2] or '') .. ':' .. (is[3] or '') then
  return { 'changed' }
end
take(id)
move(id, 'running', 'ended')
add(id, event)
call('HSET', record(id), 'end', whole(millis))
call('ZADD', base .. 'ended', whole(millis), id)
changed(id)
wake()
return { 'ok' }
