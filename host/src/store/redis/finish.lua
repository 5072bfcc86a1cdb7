-- id fence progress roots ended dead event…
-- ok · stale
local id, fence, progress, roots, ended, dead = unpack(ARGV, 2, 7)
if gave_up(id, fence, 'finished') then
  return { 'ok' }
end
if not held(id, fence) then
  return { 'stale' }
end
add_all(id, 8)
finish(id, 'finished', progress, roots, ended, dead)
changed(id)
wake()
return { 'ok' }
