;; A fixer's `stop("no way on")`.
(data (i32.const 16) "no way on")
(func $step (result i32)
  (i32.store8 (i32.const 1024) (i32.const 0))
  (i32.store8 (i32.const 1032) (i32.const 2))
  (i32.store (i32.const 1036) (i32.const 16))
  (i32.store (i32.const 1040) (i32.const 9))
  (i32.const 1024))
