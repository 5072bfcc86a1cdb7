-- id fence fingerprint progress roots event…
-- ok · stale
local id, fence, fingerprint, progress, roots = unpack(ARGV, 2, 6)
if not held(id, fence) then
  return { 'stale' }
end
if call('HGET', record(id), 'commit') == fingerprint then
  return { 'ok' }
end
call('HSET', record(id), 'commit', fingerprint, 'progress', progress, 'roots', roots)
changed(id)
add_all(id, 7)
wake()
return { 'ok' }
