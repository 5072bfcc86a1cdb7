//! Rust types for the contract, made from `wit/` when this crate is compiled.
//!
//! `host` holds every import of every kind; the worlds of the kinds add only their export and share
//! its types.

pub(super) mod host {
    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package aiagent:host;
            world imports {
                import aiagent:step/types@0.1.0;
                import aiagent:step/log@0.1.0;
                import aiagent:step/workspace@0.1.0;
                import aiagent:step/model@0.1.0;
                import aiagent:step/check@0.1.0;
                import aiagent:step/exec@0.1.0;
            }
        ",
        world: "aiagent:host/imports",
        imports: {
            "aiagent:step/model.complete": async | trappable,
            "aiagent:step/check.run": async | trappable,
            "aiagent:step/exec.run": async | trappable,
            default: trappable,
        },
    });
}

pub(super) use host::aiagent::step::{check, exec, log, model, types, workspace};

macro_rules! world {
    ($module:ident, $world:literal) => {
        pub(super) mod $module {
            wasmtime::component::bindgen!({
                path: "../wit",
                world: $world,
                imports: { default: trappable },
                exports: { default: async },
                with: { "aiagent:step": super::host::aiagent::step },
            });
        }
    };
}

world!(builder, "aiagent:step/builder");
world!(fixer, "aiagent:step/fixer");
world!(checker, "aiagent:step/checker");
world!(adapter, "aiagent:step/adapter");
