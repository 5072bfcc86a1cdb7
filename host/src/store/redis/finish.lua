-- id fence progress roots ended dead past event…
-- ok · stale
local id, fence, progress, roots, event, dead, past = unpack(ARGV, 2, 8)
local is = call('HMGET', base .. 'task:' .. id, 'state', 'fence', 'gave', 'rev', 'lane', 'claim', 'cancel')
if is[2] == fence and is[3] == 'finished' then
  return { 'ok' }
end
if is[1] ~= 'running' or is[2] ~= fence then
  return { 'stale' }
end
take(id, is[5], is[6], is[7])
ended(id, dead, past, 'gave', 'finished', 'progress', progress, 'roots', roots, 'rev', whole(is[4] + 1))
add_all(id, 9)
add(id, event)
wake()
return { 'ok' }
