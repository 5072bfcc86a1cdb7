-- id
-- Deletes a task that has ended.
-- ok · none · living
local id = ARGV[2]
local task = base .. 'task:' .. id
if call('EXISTS', task) == 0 then
  return { 'none' }
end
if call('HGET', task, 'state') ~= 'ended' then
  return { 'living' }
end
forget(id)
wake()
return { 'ok' }
