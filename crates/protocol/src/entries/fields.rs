//! Any plain data as named fields: what people read, whatever sort of keys and how large numbers it has.

use std::fmt;

use serde::ser::{self, Serialize, SerializeMap as _, Serializer};

/// Plain data for people. Numbers that not every reader of JSON takes exactly are texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// There is nothing.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A number of at most 32 bits.
    Number(u32),
    /// A text, or a larger number in decimals.
    Text(String),
    /// Several in an order.
    List(Vec<Self>),
    /// Several with names.
    Record(Vec<(String, Self)>),
}

impl Field {
    /// What plain data says.
    pub(super) fn of(data: &impl Serialize) -> Result<Self, String> {
        data.serialize(Writer).map_err(|error| error.0)
    }

    fn number(number: u128) -> Self {
        u32::try_from(number).map_or_else(|_| Self::Text(number.to_string()), Self::Number)
    }

    /// As the name of another.
    fn name(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_none(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_u32(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Record(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, field) in fields {
                    map.serialize_entry(name, field)?;
                }
                map.end()
            }
        }
    }
}

/// What can't be written; nothing of what entries hold.
#[derive(Debug)]
struct Unwritable(String);

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

struct Writer;

/// Fields as they are written, and the variant that they are of.
#[derive(Default)]
struct Several {
    variant: Option<&'static str>,
    items: Vec<Field>,
    fields: Vec<(String, Field)>,
    pairs: Vec<(Field, Field)>,
    key: Option<Field>,
}

impl Several {
    fn of(variant: Option<&'static str>) -> Self {
        Self { variant, ..Self::default() }
    }

    fn wrap(variant: Option<&'static str>, field: Field) -> Field {
        match variant {
            Some(variant) => Field::Record(vec![(variant.to_owned(), field)]),
            None => field,
        }
    }

    fn list(self) -> Field {
        Self::wrap(self.variant, Field::List(self.items))
    }

    fn record(self) -> Field {
        Self::wrap(self.variant, Field::Record(self.fields))
    }

    /// Pairs whose keys are no names stand as a list.
    fn map(self) -> Field {
        let names: Option<Vec<String>> = self.pairs.iter().map(|(key, _)| key.name()).collect();
        match names {
            Some(names) => {
                Field::Record(names.into_iter().zip(self.pairs.into_iter().map(|(_, value)| value)).collect())
            }
            None => {
                let pair =
                    |(key, value)| Field::Record(vec![("key".to_owned(), key), ("value".to_owned(), value)]);
                Field::List(self.pairs.into_iter().map(pair).collect())
            }
        }
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {$(
        fn $method(self, number: $number) -> Result<Field, Unwritable> {
            Ok(u128::try_from(number).map_or_else(|_| Field::Text(number.to_string()), Field::number))
        }
    )*};
}

macro_rules! texts {
    ($($method:ident: $number:ty),*) => {$(
        fn $method(self, value: $number) -> Result<Field, Unwritable> {
            Ok(Field::Text(value.to_string()))
        }
    )*};
}

impl Serializer for Writer {
    type Ok = Field;
    type Error = Unwritable;
    type SerializeSeq = Several;
    type SerializeTuple = Several;
    type SerializeTupleStruct = Several;
    type SerializeTupleVariant = Several;
    type SerializeMap = Several;
    type SerializeStruct = Several;
    type SerializeStructVariant = Several;

    numbers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128);
    numbers!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128);
    texts!(serialize_f32: f32, serialize_f64: f64, serialize_char: char, serialize_str: &str);

    fn serialize_bool(self, flag: bool) -> Result<Field, Unwritable> {
        Ok(Field::Flag(flag))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Field, Unwritable> {
        Ok(Field::Text(format!("0x{}", hex::encode(bytes))))
    }

    fn serialize_none(self) -> Result<Field, Unwritable> {
        Ok(Field::Nothing)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Field, Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Field, Unwritable> {
        Ok(Field::Nothing)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Field, Unwritable> {
        Ok(Field::Nothing)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Field, Unwritable> {
        Ok(Field::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Field, Unwritable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Field, Unwritable> {
        Ok(Several::wrap(Some(variant), value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Several, Unwritable> {
        Ok(Several::of(None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Several, Unwritable> {
        Ok(Several::of(None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Several, Unwritable> {
        Ok(Several::of(None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Several, Unwritable> {
        Ok(Several::of(Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Several, Unwritable> {
        Ok(Several::of(None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Several, Unwritable> {
        Ok(Several::of(None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Several, Unwritable> {
        Ok(Several::of(Some(variant)))
    }
}

macro_rules! lists {
    ($($kind:ident::$add:ident),*) => {$(
        impl ser::$kind for Several {
            type Ok = Field;
            type Error = Unwritable;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.items.push(value.serialize(Writer)?);
                Ok(())
            }

            fn end(self) -> Result<Field, Unwritable> {
                Ok(self.list())
            }
        }
    )*};
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! records {
    ($($kind:ident),*) => {$(
        impl ser::$kind for Several {
            type Ok = Field;
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unwritable> {
                self.fields.push((name.to_owned(), value.serialize(Writer)?));
                Ok(())
            }

            fn end(self) -> Result<Field, Unwritable> {
                Ok(self.record())
            }
        }
    )*};
}

records!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Several {
    type Ok = Field;
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.key = Some(key.serialize(Writer)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        let key = self.key.take().unwrap_or(Field::Nothing);
        self.pairs.push((key, value.serialize(Writer)?));
        Ok(())
    }

    fn end(self) -> Result<Field, Unwritable> {
        Ok(self.map())
    }
}
