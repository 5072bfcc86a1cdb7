use serde_json::{Map, Number, Value};

use crate::types::{ModelError, Settings};

/// Text as JSON where it is JSON, else as a string: `0.9`, `true`, `["a"]`, `low`.
/// A string that looks like JSON is written with its quotes: `"7"`.
fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// Puts the operator's further keys into the body, over what is there: a key set to `null` is
/// taken out. `own` are the adapter's settings, which are no keys of the body; `fixed` are the
/// keys that no setting may change.
///
/// # Errors
/// `InvalidRequest` for a key in `fixed`.
pub fn merge_extra(
    body: &mut Map<String, Value>,
    settings: &Settings,
    own: &[&str],
    fixed: &[&str],
) -> Result<(), ModelError> {
    for (key, text) in &settings.extra {
        if own.contains(&key.as_str()) {
            continue;
        }
        if fixed.contains(&key.as_str()) {
            return Err(ModelError::InvalidRequest(format!("the setting `{key}` is the host's: remove it")));
        }
        match value_of(text) {
            Value::Null => {
                body.remove(key);
            }
            value => {
                body.insert(key.clone(), value);
            }
        }
    }
    Ok(())
}

/// The operator's value for one of the adapter's own settings. The last one counts.
pub fn setting<'a>(settings: &'a Settings, key: &str) -> Option<&'a str> {
    settings.extra.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

/// The number as it was written: 0.8, not 0.800000011920929.
///
/// # Errors
/// `InvalidRequest` for what JSON can't say.
pub fn decimal(number: f32) -> Result<Number, ModelError> {
    // An f32's shortest decimal text always parses as f64.
    number
        .to_string()
        .parse()
        .ok()
        .and_then(Number::from_f64)
        .ok_or_else(|| ModelError::InvalidRequest(format!("the temperature is {number}")))
}

/// What both vendors ask of a request before anything is written.
///
/// # Errors
/// `InvalidRequest` where the model has no name.
pub fn require_model(settings: &Settings) -> Result<(), ModelError> {
    if settings.model.trim().is_empty() {
        return Err(ModelError::InvalidRequest("the configuration names no model".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_keys_are_json_where_they_are_json() {
        let table = [
            ("0.9", "0.9"),
            ("true", "true"),
            ("low", "\"low\""),
            ("\"7\"", "\"7\""),
            ("[\"a\"]", "[\"a\"]"),
            ("{\"type\":\"enabled\"}", "{\"type\":\"enabled\"}"),
            ("{broken", "\"{broken\""),
            ("", "\"\""),
        ];
        for (text, json) in table {
            assert_eq!(value_of(text).to_string(), json);
        }
    }

    #[test]
    fn decimals_stay_as_short_as_they_were_written() {
        let table = [(0.0, "0.0"), (0.8, "0.8"), (1.0, "1.0"), (0.1, "0.1"), (1.5, "1.5")];
        for (number, text) in table {
            assert_eq!(decimal(number).map(|n| n.to_string()), Ok(text.to_owned()));
        }
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(matches!(decimal(bad), Err(ModelError::InvalidRequest(_))));
        }
    }
}
