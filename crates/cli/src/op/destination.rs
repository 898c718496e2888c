//! Where stake goes that leaves the ledger. The ledger takes any text for it, so what is wrong with one must be found before it is signed: nobody gets
//! back what was sent to the text `bob`.

use evidence::ethereum::keccak256;
use protocol::units::Address;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::names::Book;

/// The fewest characters of an address where addresses are written otherwise than on Ethereum and its kin.
const OTHER_ADDRESS_MIN: usize = 20;

/// Puts the address for the name of a destination, in an operation whose other names are resolved.
///
/// # Errors
/// If it is neither a name that is known nor an address of the asset's origin.
pub(crate) fn resolve(book: &Book, operation: &str, fields: &mut Map<String, Value>) -> Result<(), Failure> {
    let asset = fields.get("asset").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let (place, destination) = match operation {
        "withdraw" => ("--to", fields.get_mut("to")),
        "undelegate" | "replace_follow_up" => {
            let destination = fields.get_mut("follow_up").and_then(|then| then.pointer_mut("/withdraw/to"));
            ("--follow-up", destination)
        }
        _ => return Ok(()),
    };
    let Some(Value::String(text)) = destination else { return Ok(()) };
    *text = address(book, operation, place, asset, text)?;
    Ok(())
}

/// The address that a text means on the origin of an asset. An origin that is not known is taken for one of Ethereum's kin, which is the stricter.
fn address(
    book: &Book,
    operation: &str,
    place: &str,
    asset: Option<u32>,
    text: &str,
) -> Result<String, Failure> {
    let origin = asset.and_then(|asset| book.origin(asset)).unwrap_or_default();
    let chain = origin.chain.map_or_else(|| "the asset's chain".to_owned(), |chain| format!("chain {chain}"));
    let refused = |why: String, help: String| {
        let what = format!("{text:?} is no address on {chain}, and nothing was signed ({place})");
        Failure::usage("destination.no-address", what)
            .why(why)
            .help(help)
            .docs(format!("docs/reference/operations/{operation}.md"))
    };
    if text.starts_with("0x") || text.starts_with("0X") {
        return match origin.has_short_addresses() {
            true => checked(text)
                .map(|address| address.to_string())
                .map_err(|why| refused(why, "copy the whole address once more".to_owned())),
            false => Ok(text.to_owned()),
        };
    }
    let known = book.account(text);
    if origin.has_short_addresses() {
        return match known {
            Ok(address) => Ok(address.to_string()),
            Err(failure) => Err(refused(
                "it is neither 0x and 40 hex digits nor the name of an account".to_owned(),
                failure.remedy().unwrap_or_default().to_owned(),
            )),
        };
    }
    if known.is_ok() {
        let why = "it is the name of an account here, whose address means nothing there";
        return Err(refused(why.to_owned(), format!("write the address on {chain} itself")));
    }
    if text.len() < OTHER_ADDRESS_MIN {
        let why =
            format!("it has {} characters, and addresses there have {OTHER_ADDRESS_MIN} or more", text.len());
        return Err(refused(why, format!("write the address on {chain} itself; no name is resolved there")));
    }
    Ok(text.to_owned())
}

/// `0x` and 40 hex digits; where they are written in both cases, the cases must be the checksum that wallets write.
fn checked(text: &str) -> Result<Address, String> {
    let lower = text.to_ascii_lowercase();
    let found = text.len().saturating_sub(2);
    let is_hex = lower.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit());
    let address =
        lower.parse::<Address>().ok().filter(|_| is_hex && text.starts_with("0x")).ok_or_else(|| {
            format!("an address there is 0x and 40 hex digits; behind 0x it has {found} characters")
        })?;
    let digits = text.trim_start_matches("0x");
    let is_mixed = digits.bytes().any(|byte| byte.is_ascii_lowercase())
        && digits.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_mixed && checksummed(&address) != text {
        return Err("its upper and lower case are not its checksum: a letter is wrong".to_owned());
    }
    Ok(address)
}

/// As wallets write it (EIP-55): a letter is upper case where the hash of the digits has a high nibble.
fn checksummed(address: &Address) -> String {
    let text = address.to_string();
    let digits = text.trim_start_matches("0x");
    let hash = keccak256(digits.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let cased = digits.chars().zip(nibbles);
    let cased = cased.map(|(digit, nibble)| if nibble >= 8 { digit.to_ascii_uppercase() } else { digit });
    std::iter::once("0x".to_owned()).chain(cased.map(String::from)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::exit::Exit;
    use crate::op::schema;

    const BOB: &str = "0x0202020202020202020202020202020202020202";

    /// Ether, a token of Ethereum, a token of a chain with long addresses; bob and his operator.
    fn book() -> Book {
        let labels = json!({ "items": [{ "key": format!("account/{BOB}"), "label": "bob" }] });
        let mut book = Book::new(&labels, &[], &Default::default());
        let asset = |number: u32, chain: u64, contract: &str| json!({ "asset": number, "decimals": 18, "origin": { "chain": chain, "contract": contract } });
        let long = format!("0x{}", "ab".repeat(32));
        book.learn_assets(&json!({ "items": [asset(0, 1, ""), asset(1, 1, "0xaa"), asset(2, 101, &long)] }));
        book
    }

    fn withdraw(asset: u32, to: &str) -> Result<Value, Failure> {
        let mut fields = Map::from_iter([("asset".to_owned(), json!(asset)), ("to".to_owned(), json!(to))]);
        resolve(&book(), "withdraw", &mut fields).map(|()| fields["to"].clone())
    }

    #[test]
    fn a_name_goes_out_as_its_address() {
        for asset in [0, 1, 9] {
            assert_eq!(withdraw(asset, "bob"), Ok(json!(BOB)), "asset {asset}");
            assert_eq!(withdraw(asset, BOB), Ok(json!(BOB)), "asset {asset}");
        }
    }

    #[test]
    fn what_wallets_write_is_taken_and_a_wrong_letter_in_it_is_found() {
        let written = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let lower = written.to_ascii_lowercase();
        assert_eq!(withdraw(0, written), Ok(json!(lower)));
        assert_eq!(withdraw(0, &format!("0x{}", lower[2..].to_ascii_uppercase())), Ok(json!(lower)));
        let failure = withdraw(0, &written.replace("BeA", "beA")).expect_err("another case");
        assert!(failure.to_string().contains("checksum"), "{failure}");
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_was_meant() {
        let cases = [
            ("bobb", "did you mean \"bob\"?"),
            ("somebody", "give an address, or add the name to [names]"),
            ("op/0", "give an address"),
            ("", "give an address"),
            ("0x02", "copy the whole address once more"),
            ("0x020202020202020202020202020202020202020g", "copy the whole address"),
            ("0x+202020202020202020202020202020202020202", "copy the whole address"),
            ("0X0202020202020202020202020202020202020202", "copy the whole address"),
        ];
        for (to, words) in cases {
            let failure = withdraw(0, to).expect_err(to);
            assert_eq!((failure.code(), failure.exit()), ("destination.no-address", Exit::Usage), "{to}");
            assert!(failure.remedy().is_some_and(|remedy| remedy.contains(words)), "{to}: {failure}");
            let told = failure.to_string();
            assert!(told.contains("why: ") && told.contains("chain 1"), "{to}: {told}");
        }
    }

    #[test]
    fn no_name_is_resolved_where_addresses_are_of_another_kind() {
        let there = "7v91N7iZ9mNicL8WfG6cgSCKyRXydQjLh6UYBWwm6y1Q";
        assert_eq!(withdraw(2, there), Ok(json!(there)));
        for to in ["bob", "bobb", ""] {
            let failure = withdraw(2, to).expect_err(to);
            assert_eq!(failure.code(), "destination.no-address", "{to}");
            assert!(failure.remedy().is_some_and(|remedy| remedy.contains("on chain 101")), "{failure}");
        }
    }

    /// Whether values of a definition can have a destination in them.
    fn leads_out(schema: &Value, value: &Value) -> bool {
        match value {
            Value::Object(parts) => {
                parts.get("description").and_then(Value::as_str) == Some("Address on the asset's origin.")
                    || parts.iter().any(|(name, part)| match part.as_str() {
                        Some(path) if name == "$ref" => {
                            let definition = schema.pointer(path.trim_start_matches('#'));
                            path.ends_with("FollowUp") && leads_out(schema, definition.expect(path))
                        }
                        _ => leads_out(schema, part),
                    })
            }
            Value::Array(parts) => parts.iter().any(|part| leads_out(schema, part)),
            _ => false,
        }
    }

    #[test]
    fn every_operation_that_names_a_destination_is_known() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/operation.schema.json");
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(file).expect(file)).expect("JSON");
        let operations = schema["oneOf"].as_array().expect("operations").iter();
        let found: Vec<&str> = operations
            .filter(|operation| {
                let is_withdrawal = operation["title"] == "withdraw";
                is_withdrawal || leads_out(&schema, operation)
            })
            .filter_map(|operation| operation["title"].as_str())
            .collect();
        assert_eq!(found, ["withdraw", "undelegate", "replace_follow_up"]);
        for kind in found {
            let described = schema::operation(kind).expect(kind);
            assert!(described.fields.iter().any(|field| field.name == "asset"), "{kind} names its asset");
            let mut fields = Map::from_iter([
                ("to".to_owned(), json!("bobb")),
                ("follow_up".to_owned(), json!({ "withdraw": { "to": "bobb" } })),
            ]);
            assert!(resolve(&book(), kind, &mut fields).is_err(), "{kind}");
        }
    }
}
