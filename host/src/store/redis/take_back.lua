-- mark, then task:ID and key:NAME in any number
-- Removes those that were put under this mark: a task from its queue, or from the worker that has begun it.
for at = 3, #ARGV do
  local id = string.match(ARGV[at], '^task:(.*)$')
  local is = call('HMGET', base .. ARGV[at], 'put', 'state', 'lane', 'claim', 'cancel')
  if is[1] == ARGV[2] then
    if not id then
      call('UNLINK', base .. ARGV[at])
    else
      if is[2] ~= 'ended' then part_with(id, unpack(is, 2, 5)) end
      forget(id)
    end
  end
end
wake()
return { 'ok' }
