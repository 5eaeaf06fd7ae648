//! Values that a newer peer may send and that this version does not know yet. They must survive a round trip: a
//! client that meets an unknown enum value must neither fail nor lose it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Declares a string enum that keeps unknown values in `Unknown`.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $wire:literal $(| $alias:literal)* ),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $( $(#[$vmeta])* $variant, )+
            /// A value that this version does not know, kept as it was sent.
            Unknown(String),
        }
        impl $name {
            /// The known values in their wire spelling.
            pub const KNOWN: &'static [&'static str] = &[$($wire),+];
            /// The wire spelling.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self { $( Self::$variant => $wire, )+ Self::Unknown(s) => s }
            }
            /// Whether this version knows the value.
            #[must_use]
            pub fn is_known(&self) -> bool { !matches!(self, Self::Unknown(_)) }
            /// The value, or an `invalid_request` error that names `field`, the value and the allowed ones.
            ///
            /// # Errors
            /// When the value is unknown.
            pub fn require_known(&self, field: &str) -> Result<&Self, crate::Error> {
                match self {
                    Self::Unknown(s) => Err(crate::Error::invalid_field(field, s, &format!("one of {}", Self::KNOWN.join(", ")))),
                    _ => Ok(self),
                }
            }
        }
        impl From<&str> for $name {
            fn from(s: &str) -> Self {
                match s { $( $wire $(| $alias)* => Self::$variant, )+ other => Self::Unknown(other.to_owned()) }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.as_str()) }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(self.as_str()) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                <std::borrow::Cow<'_, str>>::deserialize(d).map(|s| Self::from(s.as_ref()))
            }
        }
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn schema_id() -> std::borrow::Cow<'static, str> { concat!(module_path!(), "::", stringify!($name)).into() }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": Self::KNOWN })
            }
        }
    };
}
pub(crate) use open_enum;

/// A tagged value that may be of a kind this version does not know; an unknown one is kept as raw JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Open<T> {
    /// A value this version understands.
    Known(T),
    /// Anything else, exactly as it was sent.
    Unknown(Value),
}

impl<T> Open<T> {
    /// The value, when it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

impl<T: DeserializeOwned> Open<T> {
    /// The value, or why it is not one of the known shapes.
    ///
    /// # Errors
    /// `invalid_request` that names `field`.
    pub fn require_known(self, field: &str) -> Result<T, crate::Error> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Unknown(value) => match serde_json::from_value::<T>(value) {
                Ok(value) => Ok(value),
                Err(e) => Err(crate::Error::invalid(format!("{field}: {e}"))),
            },
        }
    }
}

impl<T> From<T> for Open<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Open<T> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(d)?;
        Ok(T::deserialize(&value).map_or_else(|_| Self::Unknown(value), Self::Known))
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Open<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    // The same type to a reader of schemas: what it says is what `T` says.
    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(g: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(g)
    }
}
