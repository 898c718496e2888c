#![allow(warnings, clippy::all)]
use super::*;
impl Model {
 pub fn trace(&self)->String{
  let mut o=String::new();
  let id=SetId::new(4);
  let Some(set)=self.set(id) else {return o};
  let sec=self.secured(set);
  o+=&format!("model leaving {:?} table {:?} secured {:?}\n", set.leaving, set.tables.get(&self.epoch).map(|t|t.weight), sec);
  for p in self.pool_ids(){ let pool=self.pool(p); let parts=pool.parts_of(id); if parts==0 && pool.parts_in(id,self.epoch)==0 {continue}
   let st=self.staying(id,p);
   o+=&format!("   pool {p} asset {} rate {} parts_of {} parts_in {} staying {} weight {} n stakes {}\n", pool.asset, self.asset(pool.asset).unwrap().rate, parts, pool.parts_in(id,self.epoch), st, self.weight_in(id,pool.asset,st), self.stakes.len());
   for s in &self.stakes { if s.pool==p { o+=&format!("      stake principal {} entered {:?} until {:?} worth {}\n", s.principal,s.entered,s.until,self.worth(s)); } }
  }
  o
 }
}
