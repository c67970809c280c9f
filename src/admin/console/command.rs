//! What a person writes at the console's prompt.
//!
//! In whatever case, with comments and a `;` or without. Besides the commands of [`HELP`] it
//! understands what clients ask on their own when they connect.

use crate::sql::lexer::{self, Dialect, Token, TokenKind};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// A listing.
    Show(Show, Option<String>),
    /// What a type comes to.
    Resolve(String),
    /// Read the configuration anew.
    Reload,
    /// End a session.
    Kill(u64),
    /// The commands.
    Help,
    /// The same as one text: what the `mysql` prompt asks for, which keeps the word HELP alone for
    /// itself, when a person writes `help contents`.
    HelpText,
    /// Values of a `SELECT` without tables, and how many rows it wants.
    Select(Vec<Item>, u64),
    /// What clients say of their own accord, and what has no meaning here: `SET NAMES`, `COMMIT`.
    Nothing,
}

/// A listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Show {
    /// The codecs.
    Codecs,
    /// The stores; tried, if `probe` says so.
    Stores {
        /// Whether each is tried.
        probe: bool,
    },
    /// The sessions.
    Sessions,
    /// The codec columns, of all or one schema or table.
    Columns {
        /// The database's name.
        schema: Option<String>,
        /// The table's name.
        table: Option<String>,
    },
    /// The counters.
    Status,
    /// The configuration.
    Config,
    /// The newest refusals.
    Refusals,
    /// What MySQL calls databases.
    Databases,
    /// What can be read by `SELECT * FROM`.
    Tables,
    /// Variables that clients ask for.
    Variables,
    /// Always none.
    Warnings,
}

/// A value of a SELECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// What the column is called.
    pub name: String,
    /// Where the value comes from.
    pub value: Source,
}

/// Where the value of an item comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// `@@name`, in lower case.
    Variable(String),
    /// `name()`, in upper case.
    Function(String),
    /// A text or NULL.
    Text(Option<String>),
    /// A whole number.
    Number(String),
}

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unknown {
    /// There is nothing in it.
    Empty,
    /// The command that looks most like it.
    Nearest(&'static str),
}

/// The commands, each with what it does.
pub(super) const HELP: [(&str, &str); 14] = [
    ("SHOW CODECS", "the codecs that columns can have"),
    ("SHOW STORES", "the object stores of the configuration"),
    (
        "SHOW STORES PROBE",
        "the same; each is tried with a small object of its own",
    ),
    (
        "SHOW SESSIONS",
        "who is connected, and what each session is doing",
    ),
    ("SHOW PROCESSLIST", "the same"),
    (
        "SHOW COLUMNS",
        "the codec columns of the database, and whether they can be used",
    ),
    (
        "SHOW COLUMNS FROM schema.table",
        "those of one schema, or of one table",
    ),
    ("SHOW STATUS", "the counters"),
    (
        "SHOW REFUSALS",
        "the newest errors of codec-proxy's own that clients were sent",
    ),
    (
        "SHOW CONFIG",
        "the configuration as it holds, without secrets",
    ),
    (
        "RESOLVE '<blob@main>'",
        "what a type comes to: its codecs, the stored type, the store",
    ),
    (
        "RELOAD",
        "reads the configuration, the certificates and the codecs anew; sessions stay",
    ),
    (
        "KILL id",
        "ends a session and its connection to the database",
    ),
    (
        "SHOW HELP",
        "this list; also HELP, where the client does not take the word for itself",
    ),
];

/// What `SELECT * FROM` reads, and what `SHOW TABLES` lists.
pub(super) const TABLES: [&str; 7] = [
    "codecs", "columns", "config", "refusals", "sessions", "status", "stores",
];

/// Reads a command.
pub(super) fn parse(text: &str) -> Result<Command, Unknown> {
    let tokens = lexer::lex(text.as_bytes(), Dialect::default()).tokens;
    let end = tokens.iter().rposition(|token| !token.is_symbol(b';'));
    let tokens = &tokens[..end.map_or(0, |end| end + 1)];
    if tokens.is_empty() {
        return Err(Unknown::Empty);
    }
    let words: Vec<_> = tokens.iter().map(|token| Word::new(text, token)).collect();
    read(text, &words).ok_or_else(|| Unknown::Nearest(nearest(&words)))
}

/// A token, as commands are matched.
#[derive(Debug)]
struct Word {
    /// In upper case, as it is written.
    upper: String,
    /// Without its quotes.
    plain: String,
    token: Token,
}

impl Word {
    fn new(text: &str, token: &Token) -> Self {
        let written = &text[token.start..token.end];
        let plain = match token.kind {
            TokenKind::Text => unquoted(written),
            _ => String::from_utf8_lossy(&lexer::name_text(text.as_bytes(), token)).into_owned(),
        };
        Self {
            upper: written.to_ascii_uppercase(),
            plain,
            token: *token,
        }
    }
}

/// The value of a string literal.
fn unquoted(written: &str) -> String {
    let mut chars = written.chars();
    let quote = chars.next();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' {
            match chars.next() {
                // LIKE reads these two itself.
                Some(c @ ('%' | '_')) => out.extend(['\\', c]),
                Some(c) => out.push(c),
                None => {}
            }
        } else if Some(c) == quote {
            if chars.next() == quote {
                out.push(c);
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn read(text: &str, words: &[Word]) -> Option<Command> {
    let upper: Vec<_> = words.iter().map(|word| word.upper.as_str()).collect();
    match upper[..] {
        ["HELP" | "?"] | ["SHOW", "HELP"] => Some(Command::Help),
        ["HELP", _] => Some(Command::HelpText),
        ["RELOAD"] | ["RELOAD", "CONFIG"] => Some(Command::Reload),
        ["KILL", _] | ["KILL", "CONNECTION" | "SESSION", _] => {
            words.last()?.upper.parse().ok().map(Command::Kill)
        }
        ["RESOLVE", ..] => {
            let [first, .., last] = words else {
                return None;
            };
            let rest = &words[1..];
            match rest {
                [only] => Some(Command::Resolve(only.plain.clone())),
                // Without quotes: RESOLVE <blob@cold>
                [next, ..] => {
                    let written = &text[next.token.start..last.token.end];
                    (first.token.end < next.token.start)
                        .then(|| Command::Resolve(written.to_owned()))
                }
                [] => None,
            }
        }
        ["SHOW", ..] => show(&words[1..]),
        ["SELECT", "*", "FROM", ..] => selected(&words[3..]),
        ["SELECT", ..] => select(text, &words[1..]),
        ["SET" | "COMMIT" | "ROLLBACK" | "BEGIN", ..] | ["START", "TRANSACTION", ..] => {
            Some(Command::Nothing)
        }
        _ => None,
    }
}

fn show(words: &[Word]) -> Option<Command> {
    // LIKE 'pattern' ends it.
    let (words, like) = match words {
        [rest @ .., like, pattern]
            if like.upper == "LIKE" && pattern.token.kind == TokenKind::Text =>
        {
            (rest, Some(pattern.plain.clone()))
        }
        all => (all, None),
    };
    let words = match words {
        [full, rest @ ..]
            if matches!(full.upper.as_str(), "FULL" | "GLOBAL" | "SESSION" | "LOCAL")
                && !rest.is_empty() =>
        {
            rest
        }
        all => all,
    };
    let upper: Vec<_> = words.iter().map(|word| word.upper.as_str()).collect();
    let what = match upper[..] {
        ["CODECS"] => Show::Codecs,
        ["STORES"] => Show::Stores { probe: false },
        ["STORES", "PROBE"] => Show::Stores { probe: true },
        ["SESSIONS" | "PROCESSLIST"] => Show::Sessions,
        ["STATUS"] => Show::Status,
        ["CONFIG"] => Show::Config,
        ["REFUSALS" | "ERRORS"] => Show::Refusals,
        ["DATABASES" | "SCHEMAS"] => Show::Databases,
        ["TABLES"] | ["TABLES", "FROM" | "IN", _] => Show::Tables,
        ["VARIABLES"] => Show::Variables,
        ["WARNINGS"] => Show::Warnings,
        ["COLUMNS"] => Show::Columns {
            schema: None,
            table: None,
        },
        ["COLUMNS", "FROM" | "IN", _] => Show::Columns {
            schema: Some(words[2].plain.clone()),
            table: None,
        },
        ["COLUMNS", "FROM" | "IN", _, ".", _] => Show::Columns {
            schema: Some(words[2].plain.clone()),
            table: Some(words[4].plain.clone()),
        },
        // MySQL's own order: SHOW COLUMNS FROM table FROM schema
        ["COLUMNS", "FROM" | "IN", _, "FROM" | "IN", _] => Show::Columns {
            schema: Some(words[4].plain.clone()),
            table: Some(words[2].plain.clone()),
        },
        _ => return None,
    };
    Some(Command::Show(what, like))
}

/// `SELECT * FROM sessions`
fn selected(words: &[Word]) -> Option<Command> {
    let name = match words {
        [name] => name,
        [_, dot, name] if dot.upper == "." => name,
        _ => return None,
    };
    let what = match name.plain.to_ascii_lowercase().as_str() {
        "codecs" => Show::Codecs,
        "columns" => Show::Columns {
            schema: None,
            table: None,
        },
        "config" => Show::Config,
        "refusals" => Show::Refusals,
        "sessions" => Show::Sessions,
        "status" => Show::Status,
        "stores" => Show::Stores { probe: false },
        _ => return None,
    };
    Some(Command::Show(what, None))
}

fn select(text: &str, words: &[Word]) -> Option<Command> {
    let (words, limit) = match words {
        [rest @ .., limit, rows] if limit.upper == "LIMIT" => (rest, rows.upper.parse().ok()?),
        all => (all, u64::MAX),
    };
    let items = words.split(|word| word.token.is_symbol(b','));
    let items: Option<Vec<_>> = items.map(|words| item(text, words)).collect();
    items.map(|items| Command::Select(items, limit))
}

fn item(text: &str, words: &[Word]) -> Option<Item> {
    let (value, alias) = match words {
        [value @ .., word, alias] if word.upper == "AS" => (value, Some(alias)),
        all => (all, None),
    };
    let upper: Vec<_> = value.iter().map(|word| word.upper.as_str()).collect();
    let (first, last) = (value.first()?, value.last()?);
    let source = match upper[..] {
        ["NULL"] => Source::Text(None),
        ["CURRENT_USER"] => Source::Function("CURRENT_USER".to_owned()),
        [name, "(", ")"] if first.token.kind == TokenKind::Word => {
            Source::Function(name.to_owned())
        }
        [_] if first.token.kind == TokenKind::Text => Source::Text(Some(first.plain.clone())),
        [number] if first.token.kind == TokenKind::Number => {
            number.parse::<u64>().ok()?;
            Source::Number(number.to_owned())
        }
        ["@@GLOBAL" | "@@SESSION" | "@@LOCAL", ".", _] => {
            Source::Variable(last.plain.to_ascii_lowercase())
        }
        [name] if first.token.kind == TokenKind::Variable => {
            Source::Variable(name.strip_prefix("@@")?.to_ascii_lowercase())
        }
        _ => return None,
    };
    let name = match alias {
        Some(alias) => alias.plain.clone(),
        None => text[first.token.start..last.token.end].to_owned(),
    };
    Some(Item {
        name,
        value: source,
    })
}

/// The command that looks most like what was written, as far as both go.
fn nearest(words: &[Word]) -> &'static str {
    let distance = |command: &str| {
        // The words that are the command's own: what follows them differs.
        let is_own = |word: &&str| word.chars().all(|c| c.is_ascii_uppercase());
        let own: Vec<_> = command.split(' ').take_while(is_own).collect();
        let both = own.len().min(words.len());
        let written: Vec<_> = words[..both].iter().map(|w| w.upper.as_str()).collect();
        let differ = strsim::damerau_levenshtein(&written.join(" "), &own[..both].join(" "));
        (differ, own.len() - both)
    };
    let commands = HELP.iter().map(|(command, _)| *command);
    commands
        .min_by_key(|command| distance(command))
        .unwrap_or("SHOW HELP")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(schema: Option<&str>, table: Option<&str>) -> Command {
        let what = Show::Columns {
            schema: schema.map(str::to_owned),
            table: table.map(str::to_owned),
        };
        Command::Show(what, None)
    }

    #[test]
    fn commands_are_read_in_any_dress() {
        let resolve = |text: &str| Command::Resolve(text.to_owned());
        let show = |what| Command::Show(what, None);
        for (text, command) in [
            ("show codecs", show(Show::Codecs)),
            ("  SHOW /* all */ CODECS;;", show(Show::Codecs)),
            (
                "show stores -- now\n probe",
                show(Show::Stores { probe: true }),
            ),
            ("SHOW FULL PROCESSLIST", show(Show::Sessions)),
            (
                "show global status like 'codec%'",
                Command::Show(Show::Status, Some("codec%".into())),
            ),
            (
                r"show config like 'limits.row\_bytes'",
                Command::Show(Show::Config, Some(r"limits.row\_bytes".into())),
            ),
            ("SHOW COLUMNS", columns(None, None)),
            ("show columns from `my lab`", columns(Some("my lab"), None)),
            (
                "show columns in lab.`_scan`",
                columns(Some("lab"), Some("_scan")),
            ),
            (
                "show columns from scan from lab",
                columns(Some("lab"), Some("scan")),
            ),
            ("RESOLVE '<blob@cold>'", resolve("<blob@cold>")),
            ("resolve <blob@cold>", resolve("<blob@cold>")),
            ("resolve \"blob@\";", resolve("blob@")),
            ("resolve blob", resolve("blob")),
            ("kill 7", Command::Kill(7)),
            ("KILL CONNECTION 7", Command::Kill(7)),
            ("reload", Command::Reload),
            ("help;", Command::Help),
            ("show help", Command::Help),
            ("help 'contents'", Command::HelpText),
            ("SET NAMES utf8mb4", Command::Nothing),
            ("set autocommit=0", Command::Nothing),
            ("COMMIT", Command::Nothing),
            ("SELECT * FROM sessions", show(Show::Sessions)),
            ("select * from codec_proxy.status", show(Show::Status)),
        ] {
            assert_eq!(parse(text), Ok(command), "{text}");
        }
    }

    #[test]
    fn what_clients_select_is_read() {
        let text =
            "select @@session.Autocommit, USER() as me, 'it''s', 5, null, current_user limit 1";
        let Ok(Command::Select(items, 1)) = parse(text) else {
            panic!("{:?}", parse(text))
        };
        let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "@@session.Autocommit",
                "me",
                "'it''s'",
                "5",
                "null",
                "current_user"
            ]
        );
        let values: Vec<_> = items.into_iter().map(|item| item.value).collect();
        assert_eq!(
            values,
            [
                Source::Variable("autocommit".into()),
                Source::Function("USER".into()),
                Source::Text(Some("it's".into())),
                Source::Number("5".into()),
                Source::Text(None),
                Source::Function("CURRENT_USER".into()),
            ]
        );
    }

    #[test]
    fn what_is_no_command_has_a_neighbour() {
        for (text, neighbour) in [
            ("show codec", "SHOW CODECS"),
            ("SHOW SESION", "SHOW SESSIONS"),
            ("shwo stores", "SHOW STORES"),
            ("kil 4", "KILL id"),
            ("kill four", "KILL id"),
            ("reloud", "RELOAD"),
            ("resolve", "RESOLVE '<blob@main>'"),
            ("show hlep", "SHOW HELP"),
            ("shaw", "SHOW CODECS"),
        ] {
            assert_eq!(parse(text), Err(Unknown::Nearest(neighbour)), "{text}");
        }
        for text in ["", " ; ", "-- nothing", "/* x */"] {
            assert_eq!(parse(text), Err(Unknown::Empty), "{text:?}");
        }
        // Whatever is sent, it is answered.
        for text in [
            "'",
            "select",
            "select ,",
            "show like 'x'",
            "@@",
            "(((",
            "SELECT * FROM",
            "select 1 limit",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
