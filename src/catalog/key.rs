//! The columns of a primary key: schema-addressed objects carry their values in their paths.

/// The kind of a primary key column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// An integer, also `bool`.
    Int,
    /// An integer that the server may count up (`AUTO_INCREMENT`).
    AutoIncrement,
    /// `float`, `double`
    Float,
    /// `decimal`
    Decimal,
    /// `date`
    Date,
    /// `datetime`, `timestamp`
    DateTime,
    /// `time`
    Time,
    /// `char`, `varchar`, `text`
    Text,
    /// `enum`, `set`: a number would mean a place in the list.
    Choice,
    /// `binary(16)` with the marker `:uuid:`
    Uuid,
    /// Any other `binary`, `varbinary` or `blob`
    Bytes,
    /// Anything that no path is made of, such as a codec column.
    Other,
}

impl KeyType {
    /// By the column's `COLUMN_KEY`, `DATA_TYPE`, `EXTRA` and marker; `None` if it is no part of
    /// the key.
    ///
    /// `PRI` is what DataJoint goes by, too. Hidden columns, whose names begin with `_`, are no
    /// part of the key to it (`heading.py` and `schema.py` of DataJoint 2.3.5).
    pub(super) fn of(
        name: &str,
        column_key: &str,
        data_type: &str,
        extra: &str,
        marker: Option<&str>,
    ) -> Option<Self> {
        if column_key != "PRI" || name.starts_with('_') {
            return None;
        }
        let is_marked = |text: &str| marker.is_some_and(|m| m.eq_ignore_ascii_case(text));
        Some(match data_type.to_ascii_lowercase().as_str() {
            _ if marker.is_some_and(|m| m.starts_with('<')) => Self::Other,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint"
                if extra.to_ascii_lowercase().contains("auto_increment") =>
            {
                Self::AutoIncrement
            }
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Self::Int,
            "float" | "double" => Self::Float,
            "decimal" => Self::Decimal,
            "date" => Self::Date,
            "datetime" | "timestamp" => Self::DateTime,
            "time" => Self::Time,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Self::Text,
            "enum" | "set" => Self::Choice,
            "binary" if is_marked("uuid") => Self::Uuid,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Self::Bytes,
            _ => Self::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_follows_the_type_and_the_marker() {
        let of = |data_type, extra, marker| KeyType::of("a", "PRI", data_type, extra, marker);
        assert_eq!(of("int", "", Some("int32")), Some(KeyType::Int));
        assert_eq!(
            of("bigint", "auto_increment", None),
            Some(KeyType::AutoIncrement)
        );
        assert_eq!(of("binary", "", Some("uuid")), Some(KeyType::Uuid));
        assert_eq!(of("binary", "", None), Some(KeyType::Bytes));
        assert_eq!(of("varchar", "", Some("<short>")), Some(KeyType::Other));
        assert_eq!(of("point", "", None), Some(KeyType::Other));
        assert_eq!(KeyType::of("a", "MUL", "int", "", None), None);
        assert_eq!(KeyType::of("_singleton", "PRI", "tinyint", "", None), None);
    }
}
