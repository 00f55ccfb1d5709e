//! tmp
fn main(){ let c=topologies::calibrate::measure(&|w| eprintln!("{w}")).unwrap(); for f in c.figures(){println!("{f:?}");} }
