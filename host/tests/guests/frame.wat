;; What every guest has: a memory, an allocator that never frees, and answers to return.
;; `$ok` and `$err` lay out `result<string-like, step-error>` at 1024, by the canonical ABI.
(memory (export "memory") 2)
;; Where the task's goal is.
(global $goal (mut i32) (i32.const 0))
(global $goal-len (mut i32) (i32.const 0))
(global $top (mut i32) (i32.const 65536))
(func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  ;; @realloc
  (local.set $at
    (i32.and (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
  (global.set $top (i32.add (local.get $at) (local.get $size)))
  (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
    (then
      (if (i32.eq (i32.const -1)
          (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536)))))
        (then unreachable))))
  (memory.copy (local.get $at) (local.get $old) (local.get $old-size))
  (local.get $at))
;; A builder's `ok({summary})`.
(func $ok (param $text i32) (param $len i32) (result i32)
  (i32.store8 (i32.const 1024) (i32.const 0))
  (i32.store (i32.const 1032) (local.get $text))
  (i32.store (i32.const 1036) (local.get $len))
  (i32.const 1024))
;; `err(CASE(text))` of any step.
(func $err (param $case i32) (param $text i32) (param $len i32) (result i32)
  (i32.store8 (i32.const 1024) (i32.const 1))
  (i32.store8 (i32.const 1032) (local.get $case))
  (i32.store (i32.const 1040) (local.get $text))
  (i32.store (i32.const 1044) (local.get $len))
  (i32.const 1024))
;; A report at 1024: verdict, then counts, problems and output as given.
(func $report (param $verdict i32) (param $problems i32) (param $count i32) (param $text i32) (param $len i32) (result i32)
  (i32.store8 (i32.const 1024) (i32.const 0))
  (i32.store8 (i32.const 1032) (local.get $verdict))
  (i32.store (i32.const 1036) (i32.const 1))
  (i32.store (i32.const 1040) (i32.const 0))
  (i32.store (i32.const 1044) (i32.const 0))
  (i32.store (i32.const 1048) (local.get $problems))
  (i32.store (i32.const 1052) (local.get $count))
  (i32.store (i32.const 1056) (local.get $text))
  (i32.store (i32.const 1060) (local.get $len))
  (i32.const 1024))
