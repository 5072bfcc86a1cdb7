-- layout
-- Which one this store has: the given one, if it had none. 1 is the one that did not say so.
local has = call('GET', base .. 'layout')
if has then
  return has
end
if call('EXISTS', base .. 'ids') == 1 then
  return '1'
end
call('SET', base .. 'layout', ARGV[2])
return ARGV[2]
