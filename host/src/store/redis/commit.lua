-- id fence fingerprint progress roots event…
-- ok · stale
local id, fence, fingerprint, progress, roots = unpack(ARGV, 2, 6)
local task = base .. 'task:' .. id
local is = call('HMGET', task, 'state', 'fence', 'commit', 'rev')
if is[1] ~= 'running' or is[2] ~= fence then
  return { 'stale' }
end
if is[3] == fingerprint then
  return { 'ok' }
end
call('HSET', task, 'commit', fingerprint, 'progress', progress, 'roots', roots, 'rev', whole(is[4] + 1))
add_all(id, 7)
wake()
return { 'ok' }
