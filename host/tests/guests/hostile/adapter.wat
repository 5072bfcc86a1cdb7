;; An adapter that does no harm by itself; a deed goes where a line says `;; @PLACE`.
(import "[export]aiagent:step/model-adapter@0.1.0" "[resource-new]decoder" (func $new (param i32) (result i32)))
(import "[export]aiagent:step/model-adapter@0.1.0" "[resource-drop]decoder" (func $drop (param i32)))
(data (i32.const 16) "echo")
(data (i32.const 32) "/echo")
(func (export "aiagent:step/model-adapter@0.1.0#describe") (param i32 i32 i32 i32 i32) (result i32)
  ;; @describe
  (i32.store (i32.const 1032) (i32.const 16))
  (i32.store (i32.const 1036) (i32.const 4))
  (i32.const 1024))
(func (export "aiagent:step/model-adapter@0.1.0#encode")
  (param i32 i32 i32 f32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32) (result i32)
  ;; @encode
  (i32.store (i32.const 1032) (i32.const 32))
  (i32.store (i32.const 1036) (i32.const 5))
  (i32.const 1024))
(func (export "aiagent:step/model-adapter@0.1.0#[constructor]decoder")
  (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
  ;; @constructor
  (call $new (i32.const 7)))
(func (export "aiagent:step/model-adapter@0.1.0#[dtor]decoder") (param i32)
  ;; @drop
  )
;; No event, and a handle that is dropped at once.
(func (export "aiagent:step/model-adapter@0.1.0#[method]decoder.push") (param i32 i32 i32) (result i32)
  ;; @push
  (call $drop (call $new (i32.const 9)))
  (i64.store (i32.const 1024) (i64.const 0))
  (i32.const 1024))
(func (export "cabi_post_aiagent:step/model-adapter@0.1.0#[method]decoder.push") (param i32)
  ;; @post-return
  )
(func (export "aiagent:step/model-adapter@0.1.0#[method]decoder.finish") (param i32) (result i32)
  ;; @finish
  (memory.fill (i32.const 1024) (i32.const 0) (i32.const 64))
  (i32.store (i32.const 1032) (i32.const 16))
  (i32.store (i32.const 1036) (i32.const 4))
  (i32.const 1024))
