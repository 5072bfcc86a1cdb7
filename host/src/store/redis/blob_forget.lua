-- cutoff-ms digest…
-- Drops the notes of blobs that are gone and were not stored again.
for at = 3, #ARGV do
  local stored = call('ZSCORE', base .. 'blobs', ARGV[at])
  if stored and tonumber(stored) < tonumber(ARGV[2]) then
    call('ZREM', base .. 'blobs', ARGV[at])
  end
end
return { 'ok' }
