use super::*;
use crate::units::{Address, BasketId, RequestId, RouteId, ShareId, SlashId, StreamId, TicketId, VaultId};

#[test]
fn every_sort_of_key_has_one_text_and_one_form_in_bytes() {
    let account = Address([0xab; 20]);
    let keys = [
        (Key::Genesis, "genesis"),
        (Key::Network, "network"),
        (Key::Values, "values"),
        (Key::Exposure, "exposure"),
        (Key::Asset(AssetId::new(7)), "asset/7"),
        (Key::Account(account), "account/0xabababababababababababababababababababab"),
        (
            Key::Position { account, pool: PoolId::new(3), slot: 17 },
            "position/0xabababababababababababababababababababab/3/17",
        ),
        (Key::Operator(OperatorId::new(1)), "operator/1"),
        (Key::Pool(PoolId::new(3)), "pool/3"),
        (Key::Validator(ValidatorId::new(9)), "validator/9"),
        (Key::Service(ServiceId::new(0)), "service/0"),
        (Key::Set(SetId::new(2)), "set/2"),
        (Key::Table(SetId::new(2), Epoch::new(9)), "table/2/9"),
        (Key::Request(RequestId::new(4)), "request/4"),
        (Key::Slash(SlashId::new(5)), "slash/5"),
        (Key::Stream(StreamId::new(6)), "stream/6"),
        (Key::KeyOwner([0xcd; 31]), "key/cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"),
        (Key::Chain, "ethereum"),
        (Key::Committee(1150), "committee/1150"),
        (Key::Candidate, "candidate"),
        (Key::Header(9_425_184), "header/9425184"),
        (Key::Pod(ValidatorId::new(9)), "pod/9"),
        (Key::Vault(VaultId::new(1)), "vault/1"),
        (Key::Share(ShareId::new(2)), "share/2"),
        (
            Key::Holding { share: ShareId::new(2), account },
            "holding/2/0xabababababababababababababababababababab",
        ),
        (Key::VaultDeposit(VaultId::new(1), TicketId::new(8)), "vault_deposit/1/8"),
        (Key::VaultExit(VaultId::new(1), TicketId::new(8)), "vault_exit/1/8"),
        (Key::VaultHoldback(VaultId::new(1), TicketId::new(8)), "vault_holdback/1/8"),
        (
            Key::VaultCohort(VaultId::new(1), u128::MAX),
            "vault_cohort/1/340282366920938463463374607431768211455",
        ),
        (Key::VaultBatch(VaultId::new(1), 0), "vault_batch/1/0"),
        (Key::VaultGap(VaultId::new(1), 77), "vault_gap/1/77"),
        (Key::VaultContingent(VaultId::new(1), RequestId::new(4)), "vault_contingent/1/4"),
        (Key::Verdict(RequestId::new(4)), "verdict/4"),
        (Key::VaultOutcome(VaultId::new(1), RequestId::new(4)), "vault_outcome/1/4"),
        (Key::VaultLoss(VaultId::new(1), Epoch::new(9)), "vault_loss/1/9"),
        (Key::Basket(BasketId::new(6)), "basket/6"),
        (Key::Route(RouteId::new(3)), "route/3"),
        (Key::Arrival(RouteId::new(3), u64::MAX), "arrival/3/18446744073709551615"),
        (Key::VaultJunior(VaultId::new(1), TicketId::new(8)), "vault_junior/1/8"),
        (Key::BasketRequest(BasketId::new(6), TicketId::new(8)), "basket_request/6/8"),
    ];
    for (key, text) in keys {
        assert_eq!(key.to_string(), text);
        assert_eq!(text.parse(), Ok(key));
        assert_eq!(Key::from_bytes(&key.to_bytes()), Some(key), "{text}");
    }
    for (one, other) in keys.iter().zip(keys.iter().skip(1)) {
        assert!(one.0 < other.0 && one.0.to_bytes() < other.0.to_bytes(), "{} before {}", one.1, other.1);
    }
    for text in [
        "",
        "pool",
        "pool/",
        "pool/03",
        "pool/3/1",
        "genesis/0",
        "account/0xAB",
        "table/2",
        "pool/4294967296",
        "header/01",
        "vault_gap/1",
        "vault_gap/1/07",
        "holding/2",
    ] {
        assert!(text.parse::<Key>().is_err(), "{text:?} must be refused");
    }
    let mut bytes = Key::Pool(PoolId::new(3)).to_bytes();
    bytes[31] = 1;
    assert_eq!(Key::from_bytes(&bytes), None);
    assert_eq!(Key::from_bytes(&[99; KEY_BYTES]), None);
}
