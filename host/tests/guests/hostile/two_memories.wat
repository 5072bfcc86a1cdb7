;; 80 MiB in each of two memories.
(memory $second 0)
(func $step (result i32)
  (drop (memory.grow 1 (i32.const 1280)))
  (if (i32.eq (i32.const -1) (memory.grow $second (i32.const 1280))) (then unreachable))
  (i32.const 0))
