//! placeholder for the model
