//! Calls of real peers: in meshes, who comes, who goes, offers that cross, networks that change; and
//! mixed by an MCU.

mod credentials;
mod glare;
mod joins;
mod leaves;
mod mcu;
mod networks;
mod restart;
mod sfu;
mod stock;
mod support;
