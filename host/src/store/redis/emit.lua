-- id fence event…
-- ok LAST · stale
local id, fence = unpack(ARGV, 2, 3)
if not held(id, fence) then
  return { 'stale' }
end
add_all(id, 4)
wake()
return { 'ok', call('HGET', record(id), 'last') }
