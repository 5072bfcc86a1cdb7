;; 300 problems and 100,000 bytes of output.
(func $step (result i32)
  (local $at i32)
  (drop (memory.grow (i32.const 8)))
  (memory.fill (i32.const 200000) (i32.const 120) (i32.const 100000))
  (local.set $at (i32.const 131072))
  ;; A problem: test (12), path (12), line (8), message (8): 40 bytes, all `none` but the message.
  (loop $again
    (i32.store (i32.add (local.get $at) (i32.const 32)) (i32.const 200000))
    (i32.store (i32.add (local.get $at) (i32.const 36)) (i32.const 10))
    (local.set $at (i32.add (local.get $at) (i32.const 40)))
    (br_if $again (i32.lt_u (local.get $at) (i32.const 143072))))
  (call $report (i32.const 1) (i32.const 131072) (i32.const 300) (i32.const 200000) (i32.const 100000)))
