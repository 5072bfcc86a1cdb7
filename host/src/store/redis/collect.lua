-- keep-ms limit
-- Deletes tasks that ended more than `keep` ago; says how many.
local before = millis - ARGV[2]
local ids = call('ZRANGE', base .. 'ended', '-inf', '(' .. whole(before), 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do
  forget(id)
end
if #ids > 0 then
  wake()
end
return #ids
