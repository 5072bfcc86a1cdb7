-- id fence fingerprint progress roots wait-ms requeued event…
-- Commits, and gives the task back for later.
-- ok · stale · cancelled: it is committed, and has to end
local id, fence, fingerprint, progress, roots, wait, event = unpack(ARGV, 2, 8)
local task = base .. 'task:' .. id
local is = call('HMGET', task, 'state', 'fence', 'gave', 'rev', 'lane', 'claim', 'cancel', 'commit')
if is[2] == fence and is[3] == 'released' then
  return { 'ok' }
end
if is[1] ~= 'running' or is[2] ~= fence then
  return { 'stale' }
end
if is[8] ~= fingerprint then
  call('HSET', task, 'commit', fingerprint, 'progress', progress, 'roots', roots, 'rev', whole(is[4] + 1))
  add_all(id, 9)
end
if is[7] == '1' then
  return { 'cancelled' }
end
take(id, is[5], is[6], is[7])
local ready = whole(millis + wait)
call('HSET', task, 'state', 'queued', 'gave', 'released', 'ready', ready, 'rev', whole(is[4] + 2))
if tonumber(wait) > 0 then
  wait_for(id, is[5], ready)
else
  line_up(id, is[5], ready, false)
end
add(id, event)
wake()
return { 'ok' }
