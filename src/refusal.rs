//! What a client is told when codec-proxy itself refuses a statement or fails to serve it.
//!
//! A [`Refusal`] is the client's side of an error: a MySQL error number, an SQLSTATE and a
//! message that names the column, the reason and the way out. What is logged for the operator
//! is separate and may say more; a refusal never holds a value, a password or a store key.

/// An error that is sent to the client as a MySQL ERR packet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// MySQL error number, as in `ER_NOT_SUPPORTED_YET`.
    pub code: u16,
    /// Five characters, as in `42000`.
    pub sqlstate: &'static str,
    /// The text after the number; begins with `codec-proxy: `.
    pub message: String,
}

impl Refusal {
    /// A statement shape that cannot be transformed (`ER_NOT_SUPPORTED_YET`, 1235).
    ///
    /// `column` is `schema.table.column` (or the table where no column can be named).
    pub fn unsupported(column: &str, reason: &str, way_out: &str) -> Self {
        Self::new(1235, "42000", format!("{column}: {reason}; {way_out}"))
    }

    /// A value that the column's codec does not take (`ER_TRUNCATED_WRONG_VALUE_FOR_FIELD`, 1366).
    pub fn value(column: &str, reason: &str, way_out: &str) -> Self {
        Self::new(1366, "22007", format!("{column}: {reason}; {way_out}"))
    }

    /// A setting of the session that is not there, or does not take what it is given
    /// (`ER_WRONG_VALUE_FOR_VAR`, 1231).
    pub fn setting(reason: &str) -> Self {
        Self::new(1231, "42000", reason.to_owned())
    }

    /// An object store that failed or is not configured (`ER_GET_ERRMSG`, 1296).
    pub fn store(column: &str, reason: &str) -> Self {
        Self::new(1296, "HY000", format!("{column}: {reason}"))
    }

    /// A limit of the configuration that the client ran into (`ER_NET_PACKET_TOO_LARGE`, 1153).
    pub fn limit(what: &str) -> Self {
        Self::new(1153, "08S01", what.to_owned())
    }

    /// More prepared statements than the configuration allows
    /// (`ER_MAX_PREPARED_STMT_COUNT_REACHED`, 1461).
    pub fn too_many_statements(most: usize) -> Self {
        let what = format!(
            "limits.prepared_statements allows {most} prepared statements on codec tables at the \
             same time; close some"
        );
        Self::new(1461, "42000", what)
    }

    /// A prepared statement whose table has changed (`ER_NEED_REPREPARE`, 1615).
    pub fn prepare_again(column: &str) -> Self {
        let what = format!(
            "{column}: the table has changed since the statement was prepared; prepare it again"
        );
        Self::new(1615, "HY000", what)
    }

    /// A statement id that stands for nothing (`ER_UNKNOWN_STMT_HANDLER`, 1243).
    pub fn unknown_statement() -> Self {
        Self::new(1243, "HY000", "unknown prepared statement".to_owned())
    }

    /// A command on a prepared statement that cannot be read (`ER_WRONG_ARGUMENTS`, 1210).
    pub fn arguments(what: &str) -> Self {
        Self::new(1210, "HY000", what.to_owned())
    }

    /// A client whose login cannot be relayed (`ER_HANDSHAKE_ERROR`, 1043).
    pub fn handshake(reason: &str) -> Self {
        Self::new(1043, "08S01", reason.to_owned())
    }

    fn new(code: u16, sqlstate: &'static str, message: String) -> Self {
        Self {
            code,
            sqlstate,
            message: format!("codec-proxy: {message}"),
        }
    }
}
