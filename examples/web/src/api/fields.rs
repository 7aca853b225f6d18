//! The fields of a JSON body, read one by one, so that a client is told of all mistakes at once.

use std::str::FromStr;

use axum::extract::Json;
use axum::extract::rejection::JsonRejection;
use serde_json::{Map, Value};

use crate::failure::{Failure, FieldError};

/// Any object.
pub(super) type Body = Map<String, Value>;

#[derive(Debug)]
pub(super) struct Fields {
    left: Body,
    wrong: Vec<FieldError>,
}

impl Fields {
    pub(super) fn of(body: Result<Json<Body>, JsonRejection>) -> Result<Self, Failure> {
        let Json(left) = body?;
        Ok(Self { left, wrong: Vec::new() })
    }

    /// The text of a field, as a `T`.
    pub(super) fn one<T: FromStr<Err = String>>(&mut self, name: &'static str) -> Option<T> {
        let read = self.value(name).and_then(|value| parsed(&value));
        self.noted(name, read)
    }

    /// A list of texts, each as a `T`.
    pub(super) fn list<T: FromStr<Err = String>>(&mut self, name: &'static str) -> Option<Vec<T>> {
        let read = self.value(name).and_then(|value| match value {
            Value::Array(values) => values.iter().map(parsed).collect(),
            _ => Err("a list of texts is needed".to_owned()),
        });
        self.noted(name, read)
    }

    /// What was read, if that is all that was sent and nothing was wrong.
    pub(super) fn all<T>(mut self, read: Option<T>) -> Result<T, Failure> {
        self.wrong
            .extend(self.left.into_iter().map(|(name, _)| FieldError::new(name, "there is no such field".to_owned())));
        match read {
            Some(read) if self.wrong.is_empty() => Ok(read),
            _ => Err(Failure::Fields(self.wrong)),
        }
    }

    fn value(&mut self, name: &str) -> Result<Value, String> {
        self.left.remove(name).ok_or_else(|| "this field is needed".to_owned())
    }

    fn noted<T>(&mut self, name: &'static str, read: Result<T, String>) -> Option<T> {
        read.map_err(|message| self.wrong.push(FieldError::new(name, message))).ok()
    }
}

fn parsed<T: FromStr<Err = String>>(value: &Value) -> Result<T, String> {
    value.as_str().ok_or_else(|| "a text is needed".to_owned()).and_then(str::parse)
}
