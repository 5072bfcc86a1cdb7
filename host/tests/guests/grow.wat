;; One memory, page by page, until it is refused; then as most allocators do.
(func $step (result i32)
  (loop $again (br_if $again (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
  unreachable)
