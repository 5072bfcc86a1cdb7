-- What every script begins with. KEYS[1] is what the store's key names begin with, in one hash tag.
-- Fences are compared as text: they are exact. A field that is absent is 0, or no.
--
--   task:ID       a record, a hash of
--                   lane: PRIORITY|QUEUE|TENANT; spec, progress: JSON; pipeline: its name
--                   tree: the spec's snapshot; roots: the progress's others
--                   sub, start, end: times in ms; after: not to begin before; ready: since when it could
--                   have begun, where that is not `sub`
--                   state: `running` or `ended`, else it is queued; cancel, fence, gave, commit, crashes
--                   claim: NONCE:WORKER, of the last one, or -:WORKER; term: of its lease, in µs
--                   past: when it ended, in ms, and what an overview adds up of it: JSON
--                   rev: grows with every change but those of events and leases
--                   put: the mark of the restore that has put it there
--   events:ID     a list of "MS BODY", from the second event on: the first is that it was submitted
--   journal:ID    a hash of STEP: how many, and STEP:INDEX: an entry
--   ids, pipeline:NAME, dead    tasks in the order of their ids
--   ended                       by the time of their end, in ms
--   waiting:QUEUE               queued tasks, by `ready`; `delayed`, those of all queues that have to wait for it
--   lane:LANE, lanes            tasks that may begin, by their place in line; lanes by whose turn it is
--   leases:QUEUE|TENANT         running tasks, by the end of their lease in µs
--   deadlines                   tasks that have one, by it; they leave it once it has passed or with their record
--   queues, tenants             names of QUEUE, QUEUE|TENANT that have such lists, or had
--   claims                      from NONCE:WORKER to the running task; `cancels`: those that shall stop
--   rate:MODEL    when its buckets of requests and tokens are full again, in µs
--   paused, key:KEY, workers, worker-infos, turn, wake, watch, layout
local base = KEYS[1]
local call = redis.call

-- Lua would write 1e+15.
local function whole(number)
  return string.format('%.0f', number)
end
