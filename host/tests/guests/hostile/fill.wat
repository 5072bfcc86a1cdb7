;; Fills 200 MiB, again and again: one instruction each time.
(func $step (result i32)
  (drop (memory.grow (i32.const 3200)))
  (loop $again
    (memory.fill (i32.const 2048) (i32.const 1) (i32.const 209715200))
    (br $again))
  unreachable)
