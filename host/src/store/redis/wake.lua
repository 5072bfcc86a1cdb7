-- Wakes those who watch: `watch` is `asked` where one waits. Those who were told a moment ago see at `more`
-- that there has been more since, before they wait again.
local function wake()
  local watch = call('GET', base .. 'watch')
  if watch == 'asked' then
    call('SET', base .. 'watch', 'told')
    call('XADD', base .. 'wake', 'MAXLEN', 1, '*', 'w', '1')
  elseif watch == 'told' then
    call('SET', base .. 'watch', 'more')
  end
end
