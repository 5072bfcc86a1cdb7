-- cutoff-ms; KEYS[1] is the blob
-- Deletes it unless it was stored again since. Says whether it did.
local at = call('HGET', base, 'at')
if at and tonumber(at) < tonumber(ARGV[2]) then
  return call('UNLINK', base)
end
return 0
