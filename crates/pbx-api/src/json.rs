//! Reading JSON answers: unknown fields are ignored, null and absent are the same, and what has the wrong
//! type is reported by its place, never by its value.

use secrecy::SecretString;
use secrecy::zeroize::Zeroize;
use serde_json::{Map, Value};

use crate::ApiError;

/// A JSON object with the place it was found at.
pub(crate) struct Object {
    place: String,
    fields: Map<String, Value>,
}

impl Object {
    /// Parses an answer whose top must be an object. `place` names the resource in errors.
    pub(crate) fn parse(place: &str, bytes: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self { place: place.to_owned(), fields }),
            Ok(_) => Err(not_understood(place, "is not an object")),
            // serde_json's own words may quote the answer.
            Err(error) => {
                let place = format!("{place}, line {}, column {}", error.line(), error.column());
                Err(not_understood(&place, "is not JSON"))
            }
        }
    }

    /// A text; `None` where null, absent or empty.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<String>, ApiError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong(key, "is not text")),
        }
    }

    /// A secret text; `None` where null, absent or empty.
    pub(crate) fn secret(&mut self, key: &str) -> Result<Option<SecretString>, ApiError> {
        Ok(self.text(key)?.map(SecretString::from))
    }

    /// A secret text that must be there.
    pub(crate) fn need_secret(&mut self, key: &str) -> Result<SecretString, ApiError> {
        self.secret(key)?.ok_or_else(|| self.wrong(key, "is missing"))
    }

    /// Whether a field is there and not null.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.fields.get(key).is_some_and(|value| !value.is_null())
    }

    /// A boolean; `None` where null or absent.
    pub(crate) fn flag(&mut self, key: &str) -> Result<Option<bool>, ApiError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.wrong(key, "is not true or false")),
        }
    }

    /// A number from zero up, as a number or as text (ports are seen both ways); `None` where null or absent.
    pub(crate) fn number(&mut self, key: &str) -> Result<Option<u64>, ApiError> {
        let number = match self.take(key) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        number.map(Some).ok_or_else(|| self.wrong(key, "is not a number from 0 up"))
    }

    /// Whether a field is there, null or not.
    pub(crate) fn names(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// An object; `None` where null or absent.
    pub(crate) fn object(&mut self, key: &str) -> Result<Option<Self>, ApiError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self { place: format!("{}.{key}", self.place), fields })),
            Some(_) => Err(self.wrong(key, "is not an object")),
        }
    }

    /// The objects of an array; none where null or absent.
    pub(crate) fn objects(&mut self, key: &str) -> Result<Vec<Self>, ApiError> {
        let items = match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.wrong(key, "is not a list")),
        };
        let each = items.into_iter().enumerate().map(|(index, item)| {
            let place = format!("{}.{key}[{index}]", self.place);
            match item {
                Value::Object(fields) => Ok(Self { place, fields }),
                _ => Err(not_understood(&place, "is not an object")),
            }
        });
        each.collect()
    }

    /// That a field is not what it should be.
    pub(crate) fn wrong(&self, key: &str, what: &str) -> ApiError {
        not_understood(&format!("{}.{key}", self.place), what)
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.fields.remove(key).filter(|value| !value.is_null())
    }
}

impl Drop for Object {
    /// What nobody read may hold a secret under a name we do not know.
    fn drop(&mut self) {
        self.fields.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn not_understood(place: &str, what: &str) -> ApiError {
    ApiError::NotUnderstood { what: format!("{place} {what}") }
}
