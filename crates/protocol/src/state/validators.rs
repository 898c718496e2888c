//! Validators whose balance is restaked, by number, on their chain and by account.

use super::records::Validator;
use super::shelf::{Book, Shelf, Touched};
use crate::units::{AccountId, AssetId, ValidatorId};

/// Validators by dense id, and where to find them. The indexes follow from the records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Validators {
    list: Shelf<Validator, 32>,
    by_number: Book<(AssetId, u64), ValidatorId>,
    by_account: Book<(AccountId, ValidatorId), ()>,
}

impl Validators {
    /// Adds one, which keeps its number and its account for good.
    pub(crate) fn push(&mut self, validator: Validator) -> ValidatorId {
        let id = ValidatorId::at(self.list.len());
        self.by_number.insert((validator.asset, validator.number), id);
        self.by_account.insert((validator.account, id), ());
        self.list.push(validator);
        id
    }

    /// The validator of that number on the asset's chain.
    pub(crate) fn find(&self, asset: AssetId, number: u64) -> Option<ValidatorId> {
        self.by_number.get(&(asset, number)).copied()
    }

    /// Those of an account, ascending. Costs as there are of them.
    pub(crate) fn of(&self, account: AccountId) -> impl Iterator<Item = (ValidatorId, &Validator)> {
        let listed = self.by_account.starting_at((account, ValidatorId::new(0)));
        let own = listed.map(|(key, ())| *key).take_while(move |(owner, _)| *owner == account);
        own.filter_map(|(_, id)| Some((id, self.get(id)?)))
    }

    pub(crate) fn get(&self, id: ValidatorId) -> Option<&Validator> {
        self.list.get(id.index())
    }

    pub(crate) fn get_mut(&mut self, id: ValidatorId) -> Option<&mut Validator> {
        self.list.get_mut(id.index())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// In the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Validator> {
        self.list.iter()
    }

    /// What notes the touched ids.
    pub(crate) fn touched(&mut self) -> &mut Touched<u32> {
        self.list.touched()
    }
}
