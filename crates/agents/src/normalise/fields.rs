//! The fields of a foreign JSON object, each read on its own. A field that is missing or of another type loses no
//! other. Of a name that stands twice (an item of Codex can have two ids) the last value counts.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::json::read;

/// An object's fields by their names, raw.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// The fields of a text that is one JSON object.
    pub(super) fn read(json: &str) -> Option<Self> {
        read(json).map(Self)
    }

    /// A field, if it is of this type.
    pub(super) fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        read(self.0.get(name)?.get())
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name)
    }

    /// An object in a field.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::read(self.0.get(name)?.get())
    }

    /// The objects of a list. Entries of another type are left out.
    pub(super) fn objects(&self, name: &str) -> Vec<Self> {
        let items: Vec<Box<RawValue>> = self.get(name).unwrap_or_default();
        items.iter().filter_map(|item| Self::read(item.get())).collect()
    }

    /// The names of its fields.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// A field as raw JSON; `null` counts as absent.
    pub(super) fn raw(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(AsRef::as_ref).filter(|raw| raw.get() != "null")
    }

    /// The whole object.
    pub(super) fn all(&self) -> Box<RawValue> {
        serde_json::value::to_raw_value(&self.0).unwrap_or_default()
    }

    /// An object of those fields that have these names, each as raw JSON.
    pub(super) fn only(&self, names: &[&str]) -> Box<RawValue> {
        let fields = names.iter().filter_map(|name| Some(format!("{name:?}:{}", self.raw(name)?.get())));
        RawValue::from_string(format!("{{{}}}", fields.collect::<Vec<_>>().join(","))).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_read_on_its_own() {
        let fields = Fields::read(r#"{"id":"a","n":"five","list":[1,{"x":"y"}],"none":null,"s":"\ud83d","id":"b"}"#);
        let fields = fields.unwrap();
        assert_eq!(fields.text("id").as_deref(), Some("b"));
        assert_eq!((fields.get::<u64>("n"), fields.text("s").as_deref()), (None, Some("\u{fffd}")));
        assert_eq!(fields.objects("list").iter().filter_map(|item| item.text("x")).collect::<Vec<_>>(), ["y"]);
        assert_eq!(fields.only(&["n", "none", "gone", "list"]).get(), r#"{"n":"five","list":[1,{"x":"y"}]}"#);
        for other in ["[]", "7", "", "{", "{}x"] {
            assert!(Fields::read(other).is_none(), "{other}");
        }
    }
}
