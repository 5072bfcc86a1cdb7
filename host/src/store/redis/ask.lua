-- Whoever waits for the marker begins with this.
-- Whether there has been no change since the marker was left
local watch = call('GET', base .. 'watch')
if watch ~= 'asked' then
  call('SET', base .. 'watch', 'asked')
end
return watch == 'told' and 1 or 0
