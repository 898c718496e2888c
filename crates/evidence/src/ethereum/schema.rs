//! Schemas of what is proven: what they are, and how long they may be. Their fields are those of Ethereum's interfaces; the
//! deserializers are stricter than any schema could say.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    Bootstrap, Bytes, Chain, Limited, Opening, ReceiptProof, RememberedRoot, Schedule, UnderWay, Update,
    ValidatorsProof,
};

macro_rules! objects {
    ($($name:ident: $doc:literal),* $(,)?) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "object", "description": $doc })
            }
        }
    )*};
}

objects! {
    Bootstrap: "What a light client begins with: `header`, `execution`, `committee`, `committee_branch`.",
    Update: "What a sync committee has signed: `attested`, `finalized`, `finality_branch`, `execution`, `next`, `participation`, `signature`, `signature_slot`.",
    RememberedRoot: "The root of a block as a later state remembers it: `remembered_by`, `root`, `branch`.",
    Opening: "What shows the content of an execution block: `header` in RLP, or `payload` and `branch`.",
    ValidatorsProof: "Validators of one state: `validators`, `balances`, `siblings`.",
    UnderWay: "Withdrawals that a state holds under way: `withdrawals`, `branch`.",
    ReceiptProof: "Where a receipt is: `index`, `nodes`.",
    Schedule: "From when on which fork rules: `forks` (`name`, `epoch`, `version`), `until`.",
    Chain: "A chain: `genesis_validators_root`, `genesis_time`, `schedule`, `kept`.",
}

impl<const MAX: usize> JsonSchema for Bytes<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Bytes{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let longest = MAX.saturating_mul(2).saturating_add(2);
        json_schema!({ "type": "string", "pattern": "^0x([0-9a-f]{2})*$", "maxLength": longest })
    }
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for Limited<T, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}List{MAX}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": generator.subschema_for::<T>(), "maxItems": MAX })
    }
}
