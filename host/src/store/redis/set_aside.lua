-- id claim event
-- Ends a running task whose record can't be read, so that it stands in no other's way. `claim` is the
-- one that holds it, or empty where that is right only if its lease has run out.
-- ok · changed: it is no longer so
local id, claim, event = unpack(ARGV, 2)
local is = call('HMGET', base .. 'task:' .. id, 'state', 'claim', 'rev')
local tenants = call('SMEMBERS', base .. 'tenants')
local till = 0
-- Also a lane that can't be read is no reason to keep it.
for _, tenant in ipairs(tenants) do
  till = math.max(till, call('ZSCORE', base .. 'leases:' .. tenant, id) or 0)
end
if is[1] ~= 'running' or (claim == '' and till > now) or (claim ~= '' and claim ~= is[2]) then
  return { 'changed' }
end
for _, tenant in ipairs(tenants) do
  call('ZREM', base .. 'leases:' .. tenant, id)
end
take(id, '', is[2] or '', '1')
ended(id, '0', '', 'rev', whole((tonumber(is[3]) or 0) + 1))
add(id, event)
wake()
return { 'ok' }
