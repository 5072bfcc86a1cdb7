-- The tasks whose lease has run out, the longest overdue first.
local found = {}
for _, tenant in ipairs(call('SMEMBERS', base .. 'tenants')) do
  local over = call('ZRANGE', base .. 'leases:' .. tenant, '-inf', whole(now), 'BYSCORE', 'WITHSCORES')
  for at = 1, #over, 2 do
    found[#found + 1] = { over[at], tonumber(over[at + 1]) }
  end
  if call('EXISTS', base .. 'leases:' .. tenant) == 0 then
    call('SREM', base .. 'tenants', tenant)
  end
end
table.sort(found, function(a, b) return a[2] < b[2] or (a[2] == b[2] and a[1] < b[1]) end)
local ids = {}
for at, over in ipairs(found) do
  ids[at] = over[1]
end
return ids
