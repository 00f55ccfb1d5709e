//! Rows of tables: structs that know the names of their columns.

use serde::Serialize;

/// A row of a table.
pub trait Row: Serialize {
    /// The names of the columns, in the order of the fields.
    const HEADER: &'static [&'static str];
}

/// Declares a struct whose fields are the columns of a table, in this order and by these names.
///
/// A table without rows has a header all the same, hence a constant.
macro_rules! row {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::metrics::Row for $name {
            const HEADER: &'static [&'static str] = &[ $( stringify!($field) ),* ];
        }
    };
}

pub(crate) use row;
