;; Fills 120 MiB, again and again: one instruction each time.
(func $step (result i32)
  (drop (memory.grow (i32.const 1921)))
  (loop $again
    (memory.fill (i32.const 2048) (i32.const 1) (i32.const 125829120))
    (br $again))
  unreachable)
