-- Removes a task that is neither queued nor running, with all that is its own.
local function forget(id)
  local task = base .. 'task:' .. id
  call('ZREM', base .. 'pipeline:' .. (call('HGET', task, 'pipeline') or ''), id)
  call('UNLINK', task, base .. 'events:' .. id, base .. 'journal:' .. id)
  for _, list in ipairs({ 'ids', 'dead', 'ended', 'deadlines' }) do
    call('ZREM', base .. list, id)
  end
end
