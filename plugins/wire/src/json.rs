use serde_json::{Map, Value};

/// An object, field by field; a field that is null counts as missing. By hand, because the code that
/// serde derives for enums without a tag is a third of an adapter.
#[derive(Clone, Copy)]
pub struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// # Errors
    /// Here and below: the field is there and is something else.
    pub fn text(self, name: &str) -> Result<Option<&'a str>, String> {
        self.read(name, "text", Value::as_str)
    }

    pub fn number(self, name: &str) -> Result<Option<u64>, String> {
        self.read(name, "whole number", Value::as_u64)
    }

    pub fn list(self, name: &str) -> Result<Option<&'a [Value]>, String> {
        self.read(name, "list", |value| value.as_array().map(Vec::as_slice))
    }

    pub fn fields(self, name: &str) -> Result<Option<Self>, String> {
        self.read(name, "object", Self::of)
    }

    fn read<T>(self, name: &str, kind: &str, as_it: fn(&'a Value) -> Option<T>) -> Result<Option<T>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => as_it(value).map(Some).ok_or_else(|| format!("`{name}` is no {kind}")),
        }
    }
}

/// A text's JSON object.
///
/// # Errors
/// In the parser's words, or because it is no object.
pub fn object<T>(text: &str, read: impl FnOnce(Fields) -> T) -> Result<T, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Fields::of(&value).map(read).ok_or_else(|| "not an object".to_owned())
}
