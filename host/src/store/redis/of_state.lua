-- index below above state wanted looks
-- Looks through an index from its newest id below the one on, until it has found as many tasks in the state as
-- wanted, or looked at so many. Their other fields stay where they are.
-- how many it looked at · the last one, or nothing where there are no more · those found
local index, below, above, state = unpack(ARGV, 2, 5)
local wanted, looks = tonumber(ARGV[6]), tonumber(ARGV[7])
local looked, found, last = 0, {}, nil
repeat
  local size = math.min(math.max(wanted, 50), looks - looked)
  local ids = call('ZRANGE', base .. index, below, above, 'BYLEX', 'REV', 'LIMIT', 0, size)
  for _, id in ipairs(ids) do
    looked, last = looked + 1, id
    if (call('HGET', base .. 'task:' .. id, 'state') or 'queued') == state then
      found[#found + 1] = id
      if #found == wanted then
        return { looked, last, found }
      end
    end
  end
  if #ids < size then
    return { looked, false, found }
  end
  below = '(' .. last
until looked == looks
return { looked, last, found }
