-- id spec progress pipeline tree event key body key-lives-ms queue tenant priority not-before max-waiting
-- full · ok · known ID · reused ID · there SPEC
local id, spec, progress, pipeline, tree, event, key, body, lives = unpack(ARGV, 2, 10)
local queue, tenant, priority, after, most = unpack(ARGV, 11)
if key ~= '' then
  local known = call('HMGET', base .. 'key:' .. key, 'at', 'body', 'task')
  if known[1] and millis < tonumber(known[1]) + tonumber(lives) then
    return { known[2] == body and 'known' or 'reused', known[3] }
  end
end
local there = call('HGET', record(id), 'spec')
if there then
  return { 'there', there }
end
if most ~= '' and tonumber(call('HGET', base .. 'counts', 'q:' .. queue) or '0') >= tonumber(most) then
  return { 'full' }
end
if key ~= '' then
  local name = base .. 'key:' .. key
  call('HSET', name, 'at', whole(millis), 'body', body, 'task', id)
  call('PEXPIRE', name, lives)
end
local ready = math.max(millis, tonumber(after) or 0)
call('HSET', record(id), 'state', 'queued', 'cancel', '0', 'nonce', '0', 'fence', '0', 'term', '0', 'until', '0',
  'last', '0', 'crashes', '0', 'rev', '0', 'sub', whole(millis), 'spec', spec, 'progress', progress,
  'pipeline', pipeline, 'tree', tree, 'queue', queue, 'tenant', tenant, 'priority', priority,
  'ready', whole(ready))
if after ~= '' then
  call('HSET', record(id), 'after', after)
end
add(id, event)
call('ZADD', base .. 'ids', 0, id)
call('ZADD', base .. 'state:queued', 0, id)
call('ZADD', base .. 'pipeline:' .. pipeline, 0, id)
enter(id, whole(ready))
if ready > millis then
  call('ZADD', base .. 'delayed', whole(ready), id .. '|' .. queue)
else
  line_up(id, false)
end
wake()
return { 'ok' }
