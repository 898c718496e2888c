//! The real binary as people run it: the life of a stake by commands and by HTTP, and what is left when the process is killed.

mod binary;
mod http;
mod kills;
mod life;
