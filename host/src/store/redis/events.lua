-- Adds an event; says its number.
local function add(id, body)
  return call('RPUSH', base .. 'events:' .. id, whole(millis) .. ' ' .. body) + 1
end

-- Adds ARGV[first] and all that follow; says the number of the last one.
local function add_all(id, first)
  local last
  for at = first, #ARGV do
    last = add(id, ARGV[at])
  end
  return last
end
