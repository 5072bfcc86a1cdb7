-- layout
-- Which one this store has: the given one, if it does not say. 1 did not say so either: it alone had these lists.
local has = call('GET', base .. 'layout')
if has then
  return has
end
if call('EXISTS', base .. 'state:queued', base .. 'state:running', base .. 'state:ended') > 0 then
  return '1'
end
call('SET', base .. 'layout', ARGV[2])
return ARGV[2]
