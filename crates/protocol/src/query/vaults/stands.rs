//! On which entries of the state the price of a vault stands.

use std::collections::BTreeSet;

use crate::entries::Key;
use crate::state::State;
use crate::units::VaultId;

/// The entries that the rate feed of a vault, and what follows from it, are made of, ascending: whoever has these with proofs can compute it. Of a
/// vault that does not exist, the entry that would be there. Costs as the vault has entries of stake and its operators have open requests.
pub fn vault_stands_on(state: &State, id: VaultId) -> Vec<Key> {
    let mut keys = BTreeSet::from([Key::Network, Key::Vault(id)]);
    if let Some(vault) = state.vault(id) {
        let account = state.address_of(vault.account);
        keys.extend([Key::Share(vault.share), Key::Account(account)]);
        keys.extend(vault.junior.share.map(Key::Share));
        for (slot, position) in state.positions.list(state.accounts.get(vault.account).first_position) {
            keys.insert(Key::Position { account, pool: position.pool, slot });
            keys.insert(Key::Pool(position.pool));
            for request in state.open_requests_against(state.pool(position.pool).operator) {
                keys.insert(Key::Request(request));
                keys.extend(state.requests.get(&request).map(|record| Key::Set(record.set)));
            }
        }
        for (request, _) in state.contingents_of(id) {
            keys.extend([Key::VaultContingent(id, request), Key::Verdict(request)]);
        }
    }
    keys.into_iter().collect()
}
