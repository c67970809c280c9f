//! A statement without its values: small, UTF-8, and the same for all statements of one shape.
//!
//! It is what the SQL parser (`sqlparser` with its `MySqlDialect`) is given: a parser of text
//! would choke on raw bytes, and would take its time over a large value.

use std::ops::Range;

use super::lexer::{Token, TokenKind, is_name_byte, name_text};
use super::literal::introduced_charset;

/// The skeleton of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skeleton {
    /// The statement with `'~1'`, `'~2'` … in place of its string, hexadecimal and bit
    /// literals. Numbers and names stay; comments and introducers are gone.
    pub sql: String,
    /// The tokens of each literal, without its introducer: `literals[0]` is `'~1'`.
    pub literals: Vec<Range<usize>>,
    /// Where in `sql` each token begins that is not left out: (byte of `sql`, token), ascending.
    pub places: Vec<(usize, usize)>,
}

/// Makes the skeleton of one statement. A name that is not UTF-8 becomes another one, and the
/// query `TABLE t` the same `SELECT * FROM t`, for the parser's sake.
pub fn skeleton(text: &[u8], tokens: &[Token]) -> Skeleton {
    let mut skeleton = Skeleton {
        sql: String::new(),
        literals: Vec::new(),
        places: Vec::new(),
    };
    let mut end = tokens.first().map_or(0, |token| token.start);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_literal = matches!(
            token.kind,
            TokenKind::Text | TokenKind::Hex | TokenKind::Bits
        );
        // After a word a literal stands apart, lest the parser take the word for its prefix.
        let gap = token.start > end || (is_literal && ends_with_word(&skeleton.sql));
        if gap && !skeleton.sql.ends_with(' ') {
            skeleton.sql.push(' ');
        }
        end = token.end;
        at += 1;
        let (begins, first) = (skeleton.sql.len(), at - 1);
        match token.kind {
            _ if is_literal => {
                let from = at - 1;
                // Strings in a row are one.
                while token.kind == TokenKind::Text
                    && let Some(next) = tokens.get(at)
                    && next.kind == TokenKind::Text
                {
                    end = next.end;
                    at += 1;
                }
                skeleton.literals.push(from..at);
                let placeholder = format!("'~{}'", skeleton.literals.len());
                skeleton.sql.push_str(&placeholder);
            }
            TokenKind::Word if introduces(text, token, tokens.get(at)) => continue,
            TokenKind::Word
                if token.is_word(text, "TABLE") && begins_query(text, tokens, at - 1) =>
            {
                skeleton.sql.push_str("SELECT * FROM");
            }
            // The parser takes double quotes for a string's, whatever `sql_mode` says.
            TokenKind::QuotedName if text[token.start] == b'"' || !is_ascii(text, token) => {
                let name = name_text(text, token);
                skeleton.sql.push_str(&quoted_name(&name));
            }
            TokenKind::Word if !is_ascii(text, token) => {
                let name = token.bytes(text);
                match std::str::from_utf8(name) {
                    Ok(name) if name.bytes().all(is_name_byte) => skeleton.sql.push_str(name),
                    _ => skeleton.sql.push_str(&quoted_name(name)),
                }
            }
            TokenKind::Variable if !is_ascii(text, token) => {
                let name = token.bytes(text);
                skeleton.sql.push_str(&format!("@x{}", hex(name)));
            }
            _ => (skeleton.sql).push_str(&String::from_utf8_lossy(token.bytes(text))),
        }
        skeleton.places.push((begins, first));
    }
    skeleton
}

/// Whether a query can begin at this token.
fn begins_query(text: &[u8], tokens: &[Token], at: usize) -> bool {
    const BEFORE: [&str; 5] = ["UNION", "ALL", "DISTINCT", "EXCEPT", "INTERSECT"];
    let Some(before) = at.checked_sub(1).and_then(|at| tokens.get(at)) else {
        return true;
    };
    before.is_symbol(b'(') || BEFORE.iter().any(|word| before.is_word(text, word))
}

fn is_ascii(text: &[u8], token: &Token) -> bool {
    token.bytes(text).is_ascii()
}

/// A name in backquotes; one that is not UTF-8, whose bytes may look like anything, as digits.
fn quoted_name(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(name) => format!("`{}`", name.replace('`', "``")),
        Err(_) => format!("`~{}`", hex(name)),
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn ends_with_word(sql: &str) -> bool {
    sql.bytes().next_back().is_some_and(is_name_byte)
}

/// Whether the word is an introducer of the literal that follows, or its `N`.
fn introduces(text: &[u8], word: &Token, next: Option<&Token>) -> bool {
    let Some(next) = next else {
        return false;
    };
    match next.kind {
        TokenKind::Text => {
            let national = word.is_word(text, "N") && next.start == word.end;
            national && text[next.start] == b'\'' || introduced_charset(text, word).is_some()
        }
        TokenKind::Hex | TokenKind::Bits => introduced_charset(text, word).is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::MySqlDialect;
    use sqlparser::parser::Parser;

    use super::super::letters::Letters;
    use super::super::lexer::{Dialect, lex};
    use super::*;

    fn of(text: &[u8], dialect: Dialect) -> Skeleton {
        skeleton(text, &lex(text, dialect).tokens)
    }

    fn sql(text: &str) -> String {
        of(text.as_bytes(), Dialect::default()).sql
    }

    #[test]
    fn literals_become_placeholders() {
        assert_eq!(
            sql("INSERT INTO `t` VALUES ('a\\'', \"b\", X'00', 0x1f, b'1', 5, _binary'c', N'd')"),
            "INSERT INTO `t` VALUES ('~1', '~2', '~3', '~4', '~5', 5,  '~6', '~7')"
                .replace(",  ", ", ")
        );
        let text = b"SELECT 'a' 'b', _latin1 X'00' AS c";
        let tokens = lex(text, Dialect::default()).tokens;
        let skeleton = skeleton(text, &tokens);
        assert_eq!(skeleton.literals, [1..3, 5..6]);
        assert_eq!(
            skeleton.places,
            [(0, 0), (7, 1), (11, 3), (13, 5), (18, 6), (21, 7)]
        );
    }

    #[test]
    fn a_whole_table_is_a_query() {
        assert_eq!(sql("TABLE a"), "SELECT * FROM a");
        assert_eq!(
            sql("(TABLE a) UNION TABLE b"),
            "(SELECT * FROM a) UNION SELECT * FROM b"
        );
        assert_eq!(sql("LOCK TABLE a"), "LOCK TABLE a");
    }

    #[test]
    fn a_name_with_an_underscore_is_no_introducer() {
        assert_eq!(
            sql("SELECT _prov 'a', n 'b', _Binary 'c'"),
            "SELECT _prov '~1', n '~2', '~3'"
        );
    }

    #[test]
    fn a_word_is_not_taken_for_a_prefix() {
        assert_eq!(
            sql("SELECT t.x'a',_utf8\"b\",E'c',N\"d\""),
            "SELECT t.x '~1','~2',E '~3',N '~4'"
        );
    }

    #[test]
    fn comments_and_space_shrink() {
        assert_eq!(
            sql(" a /* x */  b\n-- c\n+ d/**/e /*! f */ "),
            "a b + d e f"
        );
        assert_eq!(sql("5--3"), "5--3");
    }

    #[test]
    fn names_stay_names() {
        let ansi = Dialect {
            ansi_quotes: true,
            ..Dialect::default()
        };
        assert_eq!(of(b"\"a`b\".c 'd'", ansi).sql, "`a``b`.c '~1'");
        assert_eq!(of(b"`\xff` '\xff'", ansi).sql, "`~ff` '~1'");
        assert_eq!(of("`é` é @é".as_bytes(), ansi).sql, "`é` é @x40c3a9");
        let gbk = Dialect {
            letters: Letters::Gbk,
            ..Dialect::default()
        };
        assert_eq!(
            of(b"`\xbf`` a\xbf` '\xbf\\' , @\xbf`", gbk).sql,
            "`~bf60` `~61bf60` '~1' , @x40bf60"
        );
    }

    #[test]
    fn statements_of_datajoint_parse() {
        for text in [
            "CREATE TABLE IF NOT EXISTS `d`.`t` (\n`a` int NOT NULL COMMENT \":int32:id\",\n`b` longblob DEFAULT NULL \
             COMMENT \":<blob>:\",\nPRIMARY KEY (`a`),\nFOREIGN KEY (`a`) REFERENCES `d`.`u` (`a`) ON UPDATE CASCADE \
             ON DELETE RESTRICT\n) ENGINE=InnoDB, COMMENT \"x\"",
            "INSERT INTO `d`.`t`(`a`,`b`) VALUES ('1',X'6d59'),('2',DEFAULT) ON DUPLICATE KEY UPDATE `a`=`d`.`t`.`a`",
            "REPLACE INTO `d`.`t`(`a`,`b`) VALUES ('3',_binary'\\0\\'')",
            "UPDATE `d`.`t` SET `x`=X'00',`y`=DEFAULT WHERE  (`a`=1)AND(`s`=0)",
            "SELECT `a`,`b` FROM `d`.`t` WHERE ( (`a`=\"x\"))AND(`b` > 1) ORDER BY `s` DESC LIMIT 2 OFFSET 1",
            "SELECT * FROM ((SELECT `a` FROM `d`.`t`) UNION (SELECT `a` FROM `d`.`u`)) as `_u0` ",
            "SELECT `a`,`b` as `c` FROM `d`.`t` JOIN (SELECT DISTINCT `a` FROM `d`.`u`) as `$1` USING (`a`)",
            "SELECT json_value(`meta`, _utf8mb4'$.a') FROM `d`.`t`",
            "SELECT `a` FROM `d`.`#lk` NATURAL JOIN `d`.`__sum`",
        ] {
            let skeleton = sql(text);
            if let Err(error) = Parser::parse_sql(&MySqlDialect {}, &skeleton) {
                panic!("{skeleton}: {error}");
            }
        }
    }
}
