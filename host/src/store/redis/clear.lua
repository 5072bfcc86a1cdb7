-- Undoes PUT_TASK for some hundred tasks; the lists go with the last. Says how many are left.
for _, id in ipairs(call('ZRANGE', base .. 'ids', 0, 99)) do
  local _, _, _, lane = place(id)
  local pipeline = call('HGET', record(id), 'pipeline') or ''
  call('UNLINK', record(id), base .. 'events:' .. id, base .. 'journal:' .. id, base .. 'lane:' .. lane,
    base .. 'pipeline:' .. pipeline)
  call('ZREM', base .. 'ids', id)
end
local left = call('ZCARD', base .. 'ids')
if left == 0 then
  for _, list in ipairs({ 'state:queued', 'state:running', 'state:ended', 'waiting', 'delayed', 'lanes', 'counts',
    'leases', 'claims', 'cancels', 'ended', 'dead', 'paused' }) do
    call('UNLINK', base .. list)
  end
end
wake()
return left
