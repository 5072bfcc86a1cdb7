-- id spec pipeline tree key body key-lives-ms lane ready-not-before max-waiting deadline
-- full · ok · known ID · reused ID · there SPEC
local id, spec, pipeline, tree, key, body, lives, lane, after, most, deadline = unpack(ARGV, 2)
if key ~= '' then
  local known = call('HMGET', base .. 'key:' .. key, 'at', 'body', 'task')
  if known[1] and millis < known[1] + lives then
    return { known[2] == body and 'known' or 'reused', known[3] }
  end
end
local task, queue = base .. 'task:' .. id, queue_of(lane)
local there = call('HGET', task, 'spec')
if there then
  return { 'there', there }
end
if most ~= '' and call('ZCARD', base .. 'waiting:' .. queue) >= tonumber(most) then
  return { 'full' }
end
if key ~= '' then
  local name = base .. 'key:' .. key
  call('HSET', name, 'at', whole(millis), 'body', body, 'task', id)
  call('PEXPIRE', name, lives)
end
call('HSET', task, 'lane', lane, 'spec', spec, 'pipeline', pipeline, 'tree', tree, 'sub', whole(millis))
call('ZADD', base .. 'ids', 0, id)
call('ZADD', base .. 'pipeline:' .. pipeline, 0, id)
if deadline ~= '' then
  call('ZADD', base .. 'deadlines', deadline, id)
end
if after == '' then
  line_up(id, lane, whole(millis), false)
else
  call('HSET', task, 'after', after)
  if tonumber(after) > millis then
    call('HSET', task, 'ready', after)
    wait_for(id, lane, after)
  else
    line_up(id, lane, whole(millis), false)
  end
end
wake()
return { 'ok' }
