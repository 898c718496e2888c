//! The two shapes that every operation shares, so that fifty files read alike.

/// A record of the wire: strict JSON in both directions, compared field by field.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($body)* }
    };
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        pub enum $name { $($body)* }
    };
}

/// The closed list of reasons for which an operation is refused, in order of precedence. The text names the values compared, and is
/// all there is to say about a variant.
macro_rules! refusals {
    ($(#[$doc:meta])* { $( $variant:ident $( { $($field:ident : $ty:ty),* $(,)? } )? => $text:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the text of a variant names every field")]
        #[allow(clippy::enum_variant_names, reason = "a refusal is named for what it says, not for its neighbours")]
        pub enum Refused { $( #[doc = $text] $variant $( { $($field: $ty),* } )? ),* }

        impl Refused {
            /// Name and text of each refusal, in order of precedence.
            pub const ALL: &'static [(&'static str, &'static str)] = &[$( (stringify!($variant), $text) ),*];

            /// The name of the refusal.
            pub const fn name(&self) -> &'static str {
                match self { $( Self::$variant $( { $($field: _),* } )? => stringify!($variant) ),* }
            }
        }

        impl std::fmt::Display for Refused {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self { $( Self::$variant $( { $($field),* } )? => write!(f, $text) ),* }
            }
        }

        impl std::error::Error for Refused {}
    };
}

pub(crate) use {record, refusals};
