//! Parts that take the place of a pipeline's.

use clap::Args;

use crate::task::Steps;

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct StepArgs {
    /// A builder in place of the pipeline's
    #[arg(long, value_name = "NAME")]
    builder: Option<String>,
    /// A fixer in place of the pipeline's; an empty name: only build afresh
    #[arg(long, value_name = "NAME")]
    fixer: Option<String>,
    /// A checker in place of the pipeline's
    #[arg(long, value_name = "NAME")]
    checker: Option<String>,
    /// A configured model in place of the pipeline's
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

impl StepArgs {
    pub(in crate::cli) fn wish(&self) -> Steps {
        let Self { builder, fixer, checker, model } = self;
        Steps {
            builder: builder.clone(),
            fixer: fixer.clone(),
            checker: checker.clone(),
            model: model.clone(),
        }
    }
}
