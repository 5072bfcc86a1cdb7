-- id fence step index entry
-- ok · stale · gap HAVE · there ENTRY
local id, fence, step, index, entry = unpack(ARGV, 2)
local is = call('HMGET', base .. 'task:' .. id, 'state', 'fence')
if is[1] ~= 'running' or is[2] ~= fence then
  return { 'stale' }
end
local journal = base .. 'journal:' .. id
local have = tonumber(call('HGET', journal, step) or '0')
if tonumber(index) > have then
  return { 'gap', whole(have) }
end
if tonumber(index) < have then
  return { 'there', call('HGET', journal, step .. ':' .. index) }
end
call('HSET', journal, step, whole(have + 1), step .. ':' .. index, entry)
return { 'ok' }
