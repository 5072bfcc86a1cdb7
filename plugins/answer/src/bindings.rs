//! The contract's types and imports, generated from `wit/`. Builder and fixer share them, so that
//! their own bindings hold nothing but the one export.

wit_bindgen::generate!({
    path: "../../wit",
    inline: "
        package aiagent:answer@0.1.0;
        world imports {
            include aiagent:step/platform@0.1.0;
            import aiagent:step/workspace@0.1.0;
            import aiagent:step/model@0.1.0;
        }
    ",
    world: "aiagent:answer/imports@0.1.0",
    additional_derives: [PartialEq],
    generate_all,
});

pub use aiagent::step::{log, model, types, workspace};
