//! Every figure that is shown of the story's ledger is explained, each day of the story.

#[path = "../../sim/tests/query/compare.rs"]
mod compare;
#[path = "../../sim/tests/query/formulas.rs"]
mod formulas;
#[path = "../../sim/tests/query/shown.rs"]
mod shown;

use compare::{Seen, check_page, compare_all};
use protocol::{State, advance_epoch, apply};
use story::{genesis, people, steps};

#[test]
fn every_figure_of_the_story_is_explained_on_every_day() {
    let genesis = genesis();
    let told = steps(&genesis.ledger);
    let mut state = State::new(genesis).expect("the genesis holds together");
    let everybody: Vec<_> = people::everybody().map(|(_, account)| account).collect();
    let mut seen = Seen::default();
    for step in told {
        while state.epoch().number() < step.epoch {
            compare_all(&state, &everybody, &format!("the end of epoch {}", state.epoch()), &mut seen);
            advance_epoch(&mut state);
        }
        apply(&mut state, &step.plain_authority(), &step.operation)
            .unwrap_or_else(|refusal| panic!("{}: {}: {refusal}", step.note, refusal.code()));
    }
    compare_all(&state, &everybody, "the end of the story", &mut seen);
    check_page(&seen, 0, &[]);
    for figure in ["expected", "commission_stream", "could_lose", "takes", "certified", "exposure_worst_case"]
    {
        assert!(seen.often(figure) > 2, "{figure} is more than nothing {} times", seen.often(figure));
    }
}
