-- grace-ms
-- The blobs that may be collected if nobody needs them.
local cutoff = millis - tonumber(ARGV[2])
local found = { whole(cutoff) }
for at, digest in ipairs(call('ZRANGE', base .. 'blobs', '-inf', '(' .. whole(cutoff), 'BYSCORE')) do
  found[at + 1] = digest
end
return found
