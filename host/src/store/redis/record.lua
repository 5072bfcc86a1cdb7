-- A record's fields, in the order that the host reads them in.
local fields = { 'lane', 'state', 'claim', 'fence', 'term', 'start', 'rev', 'gave', 'commit', 'cancel', 'crashes',
  'sub', 'end', 'after', 'ready', 'spec', 'progress' }
local LANE, STATE, CLAIM, FENCE, TERM, START, REV, GAVE, COMMIT = 1, 2, 3, 4, 5, 6, 7, 8, 9
