;; Prints without end, and without an end of a line.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
  (func $print (param i32 i32 i32 i32)))
(func $step (result i32)
  (local $out i32)
  (local.set $out (call $stdout))
  (loop $again
    (call $print (local.get $out) (i32.const 2048) (i32.const 4096) (i32.const 512))
    (br $again))
  unreachable)
