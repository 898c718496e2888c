//! One round of asking: the trusted block first, then committees period by period, then what is final.

use std::thread;

use evidence::ethereum::api::LightUpdate;
use evidence::ethereum::{
    BootstrapRefused, Contradiction, LightClient, Opening, Progress, Update, UpdateRefused, period_of,
};

use super::{Asked, Complaint, Follower, News, ROUND_MS, Round, SINK, Sink, Stop, Why};
use crate::beacon::Beacon;
use crate::execution::ExecutionFault;
use crate::http::Fault;

/// Periods that are asked for at once.
const BATCH: u64 = 8;
/// Batches in one round at most: more than two centuries.
const BATCHES_MAX: u32 = 1024;
/// Slots that an upstream may be behind without a word: two epochs.
const BEHIND_MAX: u64 = 64;

/// The wait after something could not be handed over, in milliseconds: a slot.
const UNSENT_MS: u64 = 12_000;

/// What time it is, and whom news go to.
struct Now<'a> {
    ms: u64,
    slot: u64,
    sink: &'a mut dyn Sink,
}

/// Whether updates are of the periods asked for, each of a later one than that before.
fn check_periods(told: &[LightUpdate], start: u64, count: u64) -> Result<(), Why> {
    let mut least = start;
    for told in told {
        let period = period_of(told.attested_header.beacon.slot);
        if !(least..start.saturating_add(count)).contains(&period) {
            return Err(Why::Periods { start, count, actual: period });
        }
        least = period.saturating_add(1);
    }
    Ok(())
}

/// Whether something could not be handed over: then the rest of the round waits as well.
fn is_unsent(round: &Round) -> bool {
    round.complaints.iter().any(|complaint| matches!(complaint.why, Why::Sink(_)))
}

/// Why an update was not taken.
enum Untaken {
    Refused(UpdateRefused),
    Unsent(String),
    Stop(Stop),
}

impl From<Stop> for Untaken {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl Follower {
    /// Asks everybody who is ready, verifies what they say, and hands over what is new. `now_ms` is the time in milliseconds
    /// since 1970.
    ///
    /// # Errors
    /// [`Stop`]: why it can't go on at all.
    pub fn round(&mut self, now_ms: u64, sink: &mut dyn Sink) -> Result<Round, Stop> {
        let genesis_time = self.chain.genesis_time();
        let slot = self.chain.slot_at(now_ms).ok_or(Stop::BeforeGenesis { genesis_time, now_ms })?;
        let mut now = Now { ms: now_ms, slot, sink };
        let mut round = Round::default();
        self.counters.rounds = self.counters.rounds.saturating_add(1);
        self.begin(&mut now, &mut round)?;
        if self.client.is_some() {
            self.advance(slot)?;
            for _ in 0..BATCHES_MAX {
                if !self.committees(&mut now, &mut round)? {
                    break;
                }
            }
            if !is_unsent(&round) {
                let opening = self.finality(&mut now, &mut round)?;
                self.open(opening, &mut now, &mut round)?;
            }
        }
        round.next_ms = self.next_ms(now_ms, &round);
        // Where nobody can know anything newer, waiting is of no use.
        match self.chain.schedule().at_slot(slot) {
            Err(unknown) if round.news == 0 && round.answered > 0 => Err(Stop::Fork(unknown)),
            _ => Ok(round),
        }
    }

    /// When somebody is ready who failed, or an epoch has passed.
    fn next_ms(&self, now_ms: u64, round: &Round) -> u64 {
        let later = now_ms.saturating_add(ROUND_MS);
        let first =
            self.beacons.iter().map(|asked| asked.health.ready_ms).filter(|ready| *ready > now_ms).min();
        if is_unsent(round) {
            return now_ms.saturating_add(UNSENT_MS);
        }
        if round.answered > 0 { later } else { first.unwrap_or(later).min(later) }
    }

    /// Asks all who are ready at once, so that one who stalls holds up nobody else.
    fn ask<T: Send>(
        &mut self,
        now_ms: u64,
        question: impl Fn(&Beacon) -> Result<T, Fault> + Sync,
    ) -> Vec<(usize, Result<T, Fault>)> {
        let question = &question;
        let ready = self.beacons.iter().enumerate().filter(|(_, asked)| asked.health.is_ready(now_ms));
        thread::scope(|scope| {
            let asking: Vec<_> = ready
                .map(|(place, Asked { upstream, .. })| (place, scope.spawn(move || question(upstream))))
                .collect();
            let broken = || Err(Fault::Unreachable("asking it has failed".into()));
            asking
                .into_iter()
                .map(|(place, asked)| (place, asked.join().unwrap_or_else(|_| broken())))
                .collect()
        })
    }

    /// Notes what is wrong with an upstream.
    fn complain(&mut self, place: usize, why: Why, now_ms: u64, round: &mut Round) {
        let Some(asked) = self.beacons.get_mut(place) else { return };
        match &why {
            Why::Fault(_) => asked.health.failed(now_ms, &mut self.chance),
            // Whoever is past the schedule knows more than can be verified here, and has answered all the same.
            Why::Update(UpdateRefused::Fork(_)) => {
                asked.health.failed(now_ms, &mut self.chance);
                round.answered = round.answered.saturating_add(1);
            }
            // A committee that is not known here yet is no fault of who knows it.
            Why::Update(UpdateRefused::Period { .. }) | Why::Behind { .. } | Why::Sink(_) => {}
            _ => asked.health.refused(now_ms, &mut self.chance),
        }
        round.complaints.push(Complaint { who: asked.upstream.name().to_owned(), why });
    }

    fn praise(&mut self, place: usize) {
        if let Some(asked) = self.beacons.get_mut(place) {
            asked.health.answered();
        }
    }

    /// What could not be handed over is tried again in the next round.
    fn unsent(&mut self, why: String, round: &mut Round) {
        self.counters.unsent = self.counters.unsent.saturating_add(1);
        round.complaints.push(Complaint { who: SINK.into(), why: Why::Sink(why) });
    }

    fn keep(&mut self, client: LightClient) -> Result<(), Stop> {
        if let Some(keeper) = &self.keeper {
            keeper.save(&self.chain, &self.trusted, &client)?;
        }
        self.client = Some(client);
        Ok(())
    }

    /// Finds the trusted block.
    fn begin(&mut self, now: &mut Now<'_>, round: &mut Round) -> Result<(), Stop> {
        if self.client.is_some() {
            return Ok(());
        }
        let trusted = self.trusted;
        for (place, answer) in self.ask(now.ms, |beacon| beacon.bootstrap(&trusted)) {
            let bootstrap = answer.map_err(Why::Fault).and_then(|told| told.bootstrap().map_err(Why::Form));
            let begun = bootstrap.and_then(|bootstrap| {
                let client = LightClient::new(&self.chain, &trusted, bootstrap.clone());
                client.map(|client| (client, bootstrap)).map_err(Why::Bootstrap)
            });
            match begun {
                // The block is the trusted one: whoever told it, that is so.
                Err(Why::Bootstrap(BootstrapRefused::Fork(unknown))) => return Err(Stop::Fork(unknown)),
                Err(why) => self.complain(place, why, now.ms, round),
                Ok(_) if self.client.is_some() => self.praise(place),
                Ok((client, bootstrap)) => {
                    self.praise(place);
                    let news = News::BeginChain { bootstrap: Box::new(bootstrap) };
                    if let Err(why) = now.sink.submit(&news) {
                        self.unsent(why, round);
                        return Ok(());
                    }
                    round.news = round.news.saturating_add(1);
                    self.keep(client)?;
                }
            }
        }
        Ok(())
    }

    /// Where the chain did not finalize for a whole period, goes on to the best committee known.
    fn advance(&mut self, slot: u64) -> Result<(), Stop> {
        let Some(mut client) = self.client.clone() else { return Ok(()) };
        match client.advance(slot) {
            Some(_) => self.keep(client),
            None => Ok(()),
        }
    }

    /// Verifies an update, hands it over, and remembers it.
    fn take(&mut self, update: Update, now: &mut Now<'_>) -> Result<Progress, Untaken> {
        let Some(mut client) = self.client.clone() else { return Ok(Progress::default()) };
        match client.update(&self.chain, &update, now.slot) {
            Err(UpdateRefused::Contradicts(contradiction)) => Err(self.report(update, contradiction, now)),
            // What tells nothing new may still say otherwise.
            Err(refused @ UpdateRefused::NotNewer { .. }) => {
                match client.contradiction(&self.chain, &update, now.slot, None) {
                    Ok(contradiction) => Err(self.report(update, contradiction, now)),
                    Err(_) => Err(Untaken::Refused(refused)),
                }
            }
            Err(refused) => Err(Untaken::Refused(refused)),
            Ok(progress) => {
                now.sink.submit(&News::UpdateChain { update: Box::new(update) }).map_err(Untaken::Unsent)?;
                self.counters.updates = self.counters.updates.saturating_add(1);
                self.keep(client)?;
                Ok(progress)
            }
        }
    }

    /// Hands over that a committee has contradicted itself, and ends.
    fn report(&mut self, update: Update, found: Contradiction, now: &mut Now<'_>) -> Untaken {
        let news = News::ReportContradiction { update: Box::new(update), remembered: None };
        match now.sink.submit(&news) {
            Ok(()) => Stop::Contradiction(found).into(),
            Err(why) => Untaken::Unsent(why),
        }
    }

    /// Learns the committees that are missing. Returns whether more may be to come.
    fn committees(&mut self, now: &mut Now<'_>, round: &mut Round) -> Result<bool, Stop> {
        let Some(client) = &self.client else { return Ok(false) };
        let start = client.period().saturating_add(u64::from(client.next().is_some()));
        let missing = period_of(now.slot).saturating_add(1).saturating_sub(start);
        if missing == 0 {
            return Ok(false);
        }
        let count = missing.min(BATCH);
        let before = (client.period(), client.next().is_some());
        for (place, answer) in self.ask(now.ms, |beacon| beacon.updates(start, count)) {
            match answer {
                Err(fault) => self.complain(place, fault.into(), now.ms, round),
                Ok(told) => match check_periods(&told, start, count) {
                    Err(why) => self.complain(place, why, now.ms, round),
                    Ok(()) if !self.take_all(place, told, now, round)? => return Ok(false),
                    Ok(()) => {}
                },
            }
        }
        let after = self.client.as_ref().map(|client| (client.period(), client.next().is_some()));
        Ok(after != Some(before))
    }

    /// Takes what an upstream tells of several periods. Returns whether news can be handed over.
    fn take_all(
        &mut self,
        place: usize,
        told: Vec<LightUpdate>,
        now: &mut Now<'_>,
        round: &mut Round,
    ) -> Result<bool, Stop> {
        for told in told {
            let update = match told.update() {
                Ok(update) => update,
                Err(error) => {
                    self.complain(place, Why::Form(error), now.ms, round);
                    return Ok(true);
                }
            };
            // Somebody else was faster.
            if self.client.as_ref().is_some_and(|client| period_of(update.signature_slot) < client.period()) {
                continue;
            }
            match self.take(update, now) {
                Ok(_) => round.news = round.news.saturating_add(1),
                Err(Untaken::Refused(UpdateRefused::NotNewer { .. })) => {}
                Err(Untaken::Refused(refused)) => {
                    self.complain(place, Why::Update(refused), now.ms, round);
                    return Ok(true);
                }
                Err(Untaken::Unsent(why)) => {
                    self.unsent(why, round);
                    return Ok(false);
                }
                Err(Untaken::Stop(stop)) => return Err(stop),
            }
        }
        self.praise(place);
        Ok(true)
    }

    /// Learns what is final. Returns what shows the execution block, where an upstream has brought it along.
    fn finality(&mut self, now: &mut Now<'_>, round: &mut Round) -> Result<Option<Opening>, Stop> {
        let mut told = Vec::new();
        for (place, answer) in self.ask(now.ms, Beacon::finality_update) {
            let update = answer.map_err(Why::Fault).and_then(|told| {
                let opening = told.finalized_header.opening();
                told.update().map(|update| (update, opening)).map_err(Why::Form)
            });
            match update {
                Ok((update, opening)) => told.push((place, update, opening)),
                Err(why) => self.complain(place, why, now.ms, round),
            }
        }
        // The newest first: of the others nothing need be handed over.
        told.sort_by_key(|(_, update, _)| std::cmp::Reverse(update.finalized.slot));
        let mut shown = Vec::new();
        for (place, update, opening) in told {
            let (slot, root) = (update.finalized.slot, update.finalized.root());
            match self.take(update, now) {
                Ok(_) => round.news = round.news.saturating_add(1),
                Err(Untaken::Refused(UpdateRefused::NotNewer { known, .. })) => {
                    if slot.saturating_add(BEHIND_MAX) < known {
                        self.complain(place, Why::Behind { slot, known }, now.ms, round);
                        continue;
                    }
                }
                Err(Untaken::Refused(refused)) => {
                    self.complain(place, Why::Update(refused), now.ms, round);
                    continue;
                }
                Err(Untaken::Unsent(why)) => {
                    self.unsent(why, round);
                    return Ok(None);
                }
                Err(Untaken::Stop(stop)) => return Err(stop),
            }
            self.praise(place);
            round.answered = round.answered.saturating_add(1);
            shown.extend(opening.map(|opening| (root, opening)));
        }
        let newest = self.client.as_ref().map(|client| *client.newest().root());
        Ok(shown.into_iter().find(|(root, _)| Some(root) == newest.as_ref()).map(|(_, opening)| opening))
    }

    /// Opens the execution block of the newest final one.
    fn open(&mut self, brought: Option<Opening>, now: &mut Now<'_>, round: &mut Round) -> Result<(), Stop> {
        let Some(newest) = self.client.as_ref().map(|client| client.newest().clone()) else { return Ok(()) };
        let slot = newest.header().slot;
        if self.opened == Some(slot) || is_unsent(round) {
            return Ok(());
        }
        let mut opening = brought.filter(|opening| newest.open(opening).is_ok());
        for asked in self.executions.iter_mut().filter(|asked| asked.health.is_ready(now.ms)) {
            if opening.is_some() {
                break;
            }
            match asked.upstream.opening(&newest) {
                Ok(shown) => {
                    asked.health.answered();
                    opening = Some(shown);
                }
                Err(fault) => {
                    match &fault {
                        ExecutionFault::Fault(_) => asked.health.failed(now.ms, &mut self.chance),
                        _ => asked.health.refused(now.ms, &mut self.chance),
                    }
                    let who = asked.upstream.name().to_owned();
                    round.complaints.push(Complaint { who, why: Why::Execution(fault) });
                }
            }
        }
        let Some(opening) = opening else { return Ok(()) };
        match now.sink.submit(&News::OpenBlock { slot, opening }) {
            Err(why) => self.unsent(why, round),
            Ok(()) => {
                self.opened = Some(slot);
                self.counters.openings = self.counters.openings.saturating_add(1);
                round.news = round.news.saturating_add(1);
            }
        }
        Ok(())
    }
}
