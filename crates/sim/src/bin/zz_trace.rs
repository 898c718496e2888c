#![allow(warnings, clippy::all)]
use sim::script::*;
fn main(){
 let path=std::env::args().nth(1).unwrap();
 let s=Script::from_lines(&std::fs::read_to_string(path).unwrap()).unwrap();
 let mut state=protocol::State::new(s.genesis.clone()).unwrap();
 let mut ses=sim::history::Session::new(s.genesis.clone(),None,sim::history::Effort{check_every:1000});
 for (i,st) in s.steps.iter().enumerate(){
  match st { Step::Advance=>{protocol::advance_epoch(&mut state);}, Step::Apply(a,o)=>{let _=protocol::apply(&mut state,a,o);} }
  let r=ses.step(st);
  println!("{i} {st:?}\n  -> {r:?}");
  if let Some(d)=protocol::query::set(&state, protocol::units::SetId::new(4)) { println!("  ledger w {} leaving {} secured {}", d.weight,d.leaving,d.secured);}
  println!("  {}", ses.model().trace());
 }
 println!("{:#?}", protocol::query::set(&state, protocol::units::SetId::new(4)));
}
