-- keep-ms limit
-- Deletes tasks that ended more than `keep` ago; says how many.
local before = millis - tonumber(ARGV[2])
local ids = call('ZRANGE', base .. 'ended', '-inf', '(' .. whole(before), 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do
  call('ZREM', base .. 'pipeline:' .. (call('HGET', record(id), 'pipeline') or ''), id)
  call('UNLINK', record(id), base .. 'events:' .. id, base .. 'journal:' .. id)
  call('ZREM', base .. 'state:ended', id)
  call('ZREM', base .. 'ids', id)
  call('ZREM', base .. 'dead', id)
  call('ZREM', base .. 'ended', id)
end
if #ids > 0 then
  wake()
end
return #ids
