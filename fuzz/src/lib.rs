//! What the fuzz targets share: the whole-gateway harness, the comparison with other readers, and the strict one.
//!
//! The properties of single readers are not here: they stand beside the code, in `src/http/fuzz/` of the gateway.

pub mod connection;
pub mod differential;

/// The reader that judges the gateway in its own tests too; one copy for both.
#[path = "../../tests/support/strict.rs"]
pub mod strict;
