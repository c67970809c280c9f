//! The values that a client has bound, on their way through their codecs.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest, Md5};

use super::long::Come;
use super::spool::Spooled;
use super::{Planned, Slot};
use crate::catalog::ColumnCodec;
use crate::codec::{Dtype, HEAD_LEN, Key, Manner, Notation, Stored, hash};
use crate::plan::key::{self, Written};
use crate::plan::{KeySource, RowKey, Source};
use crate::refusal::Refusal;
use crate::session::coded::Coded;
use crate::session::refuse;
use crate::session::shared::Shared;
use crate::session::write::encode::{Encoder, Sent};
use crate::sql::literal::Literal;
use crate::store::Content;
use crate::wire::binary;
use crate::wire::parameters::{Kind, Replaced};

/// Up to this many bytes are hashed without leaving the thread.
const HASH_INLINE: usize = 128 << 10;

/// A parameter of the client.
#[derive(Debug, Clone, Copy)]
pub enum Bound<'a> {
    /// NULL.
    Null,
    /// `DEFAULT` and its like in bulk execution.
    Left,
    /// A value of this type, in the payload.
    Value(Kind, &'a Range<usize>),
    /// It has come before.
    Apart(Kind, &'a Come),
}

/// What an execution is translated with.
pub struct Translating<'a> {
    pub shared: &'a Shared,
    pub manner: Manner,
    /// `character_set_client`
    pub charset: &'a str,
    pub plan: &'a Planned,
    /// The command.
    pub payload: &'a Bytes,
    /// The values of the plan's expressions.
    pub found: &'a [Option<Literal>],
}

/// A value as it is given to a codec; see [`Sent`].
struct Given {
    literal: Literal,
    written: u64,
    apart: Option<Arc<dyn Content>>,
}

/// A value for a codec column.
struct Input {
    /// The row, and the server's parameter, that it is for.
    place: (usize, usize),
    cell: usize,
    given: Given,
    /// Where its row's key is.
    key: Option<usize>,
}

impl Translating<'_> {
    /// What the server gets in place of what the client has bound, for each row of parameters
    /// and each parameter of the server; `None`: the same.
    pub async fn rows(
        &self,
        rows: &[Vec<Bound<'_>>],
    ) -> Result<Vec<Vec<Option<Replaced>>>, Refusal> {
        let mut replaced = vec![vec![None; self.plan.slots.len()]; rows.len()];
        let mut inputs = Vec::new();
        let mut keys: Vec<Key> = Vec::new();
        for (row, bound) in rows.iter().enumerate() {
            // The plan's rows that a key has been made for.
            let mut made: Vec<(usize, usize)> = Vec::new();
            for (at, slot) in self.plan.slots.iter().enumerate() {
                let (cell, input) = match slot {
                    Slot::Client(_) => continue,
                    Slot::Hashed(n) => {
                        replaced[row][at] = self.hashed(bound[*n]).await?;
                        continue;
                    }
                    Slot::Text(cell) => {
                        let given = self.text(*cell);
                        if given.is_none() {
                            replaced[row][at] = Some(Replaced::Null);
                        }
                        (*cell, given)
                    }
                    Slot::Cell(n, cell) => (*cell, self.bound(*cell, bound[*n]).await?),
                };
                let Some(given) = input else { continue };
                let key = match self.plan.columns[cell].chain.uses_key() {
                    false => None,
                    true => {
                        let of = self.plan.write.cells[cell].row;
                        let known = made.iter().find(|(row, _)| *row == of);
                        Some(match known {
                            Some((_, key)) => *key,
                            None => {
                                keys.push(self.key(cell, bound)?);
                                made.push((of, keys.len() - 1));
                                keys.len() - 1
                            }
                        })
                    }
                };
                inputs.push(Input {
                    place: (row, at),
                    cell,
                    given,
                    key,
                });
            }
        }
        let sent: Vec<Sent> = (inputs.iter())
            .map(|input| Sent {
                table: &self.plan.write.cells[input.cell].table,
                column: self.plan.write.cells[input.cell].column,
                literal: &input.given.literal,
                apart: input.given.apart.clone(),
                written: input.given.written,
                key: input.key.map(|key| &keys[key]),
            })
            .collect();
        let encoder = Encoder::new(self.shared, self.manner, self.charset, sent.len());
        let stored = encoder.encode(&sent, of_stored).await?;
        drop(sent);
        for (input, stored) in inputs.iter().zip(stored) {
            if let Some(stored) = &stored {
                self.check_charset(&self.plan.columns[input.cell], stored)?;
            }
            let (row, at) = input.place;
            replaced[row][at] = match (stored, self.plan.slots[at]) {
                // What is stored as it is; nobody but the proxy has it.
                (None, Slot::Text(_)) => {
                    let value: Vec<u8> = input.given.literal.chunks(1 << 20).flatten().collect();
                    Some(Replaced::Bytes(value.into()))
                }
                (stored, _) => stored,
            };
        }
        Ok(replaced)
    }

    /// A value that stands in the text, or is what an expression there comes to; `None` for NULL.
    fn text(&self, number: usize) -> Option<Given> {
        let cell = &self.plan.write.cells[number];
        let (literal, written) = match &cell.source {
            Source::Literal(literal) => (literal, cell.span.len() as u64),
            Source::Parameter(_) | Source::Expression => {
                let expressions = &self.plan.expressions;
                let at = expressions.iter().position(|(cell, _)| *cell == number)?;
                let literal = self.found.get(at)?.as_ref()?;
                (literal, literal.decoded_len())
            }
        };
        Some(Given {
            literal: literal.clone(),
            written,
            apart: None,
        })
    }

    /// A value for a cell; `None` for one that no codec is asked about.
    async fn bound(&self, cell: usize, bound: Bound<'_>) -> Result<Option<Given>, Refusal> {
        let column = &self.plan.columns[cell];
        let kind = match bound {
            Bound::Null | Bound::Left => return Ok(None),
            Bound::Value(kind, _) | Bound::Apart(kind, _) => kind,
        };
        if !kind.is_string() {
            let reason = format!("a value of type {} is bound to it", kind.name());
            return Err(Refusal::value(&column.name, &reason, "bind bytes or text"));
        }
        let charset = kind.is_binary().then_some("binary");
        let plain = |bytes: Bytes| Given {
            written: bytes.len() as u64,
            literal: Literal::plain(bytes, charset),
            apart: None,
        };
        match bound {
            Bound::Null | Bound::Left => Ok(None),
            Bound::Value(_, content) => Ok(Some(plain(self.payload.slice(content.clone())))),
            Bound::Apart(_, Come::Passed(head)) => {
                let checked = column
                    .chain
                    .validate_head(&head[..head.len().min(HEAD_LEN)]);
                checked.map_err(|e| refuse::written(&column.name, Notation::Bytes, e))?;
                Ok(None)
            }
            Bound::Apart(_, Come::Gathered(spooled)) if column.is_streamed(&self.manner) => {
                let head = plain(Bytes::copy_from_slice(spooled.head()));
                Ok(Some(Given {
                    apart: Some(spooled.clone()),
                    ..head
                }))
            }
            Bound::Apart(_, Come::Gathered(spooled)) => {
                Ok(Some(plain(self.collected(column, spooled).await?)))
            }
        }
    }

    /// All of a value that came in pieces, for a codec that wants it whole.
    async fn collected(&self, column: &Coded, spooled: &Arc<Spooled>) -> Result<Bytes, Refusal> {
        match spooled.collect(self.shared.limits.value_bytes).await {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(Refusal::limit(&format!(
                "{}: the value is longer than limits.value_bytes",
                column.name
            ))),
            Err(error) => {
                tracing::error!(%error, "a value sent in pieces was lost");
                Err(refuse::internal(&column.name))
            }
        }
    }

    /// The hash of a value, by which its object is named.
    async fn hashed(&self, bound: Bound<'_>) -> Result<Option<Replaced>, Refusal> {
        let md5 = match bound {
            Bound::Null | Bound::Left => return Ok(None),
            Bound::Apart(_, Come::Gathered(spooled)) => spooled.md5().unwrap_or_default(),
            Bound::Apart(_, Come::Passed(_)) => return Err(refuse::internal("a parameter")),
            Bound::Value(kind, content) if kind.is_string() => {
                let value = self.payload.slice(content.clone());
                match value.len() <= HASH_INLINE {
                    true => Md5::digest(&value).into(),
                    false => {
                        let digest = tokio::task::spawn_blocking(move || Md5::digest(&value));
                        let digest = digest.await.map_err(|error| {
                            tracing::error!(%error, "a hash broke off");
                            refuse::internal("a parameter")
                        })?;
                        digest.into()
                    }
                }
            }
            // A number equals no value of a codec column.
            Bound::Value(..) => return Ok(Some(Replaced::Text(Bytes::new()))),
        };
        Ok(Some(Replaced::Text(hash::name_of(md5).into())))
    }

    /// The primary key of a cell's row.
    fn key(&self, cell: usize, bound: &[Bound<'_>]) -> Result<Key, Refusal> {
        static NONE: RowKey = RowKey { parts: Vec::new() };
        let row = self.plan.write.cells[cell].row;
        let mut key = Key::default();
        for part in &self.plan.write.keys.get(row).unwrap_or(&NONE).parts {
            let value = match &part.source {
                KeySource::Known(value) => Ok(value.clone()),
                KeySource::Parameter(n) => {
                    (self.written(bound[*n])).and_then(|written| key::of(part.kind, &written))
                }
                KeySource::Expression(_) => Err("is not given as a literal or a parameter"),
            };
            let value = value.map_err(|problem| {
                let codec = self.plan.columns[cell].codec();
                let why = codec.map_or("", ColumnCodec::why_key);
                let reason = format!("{why}, and {} {problem}", part.name);
                let way_out = format!("bind a plain value to {}", part.name);
                Refusal::unsupported(&self.plan.columns[cell].name, &reason, &way_out)
            })?;
            key.columns.push((part.name.clone(), value));
        }
        Ok(key)
    }

    /// A parameter as a statement would have it written.
    fn written(&self, bound: Bound<'_>) -> Result<Written, &'static str> {
        let (kind, content) = match bound {
            Bound::Null | Bound::Left => return Err("is left to the server"),
            Bound::Apart(..) => return Err("is sent in pieces"),
            Bound::Value(kind, content) => (kind, &self.payload[content.clone()]),
        };
        if kind.is_string() {
            let is_utf8 = self.charset.starts_with("utf8") || self.charset == "ascii";
            return Ok(Written::Quoted {
                bytes: content.to_vec(),
                is_string: true,
                is_utf8: is_utf8 && !kind.is_binary(),
            });
        }
        const UNKNOWN: &str = "is bound with a type that no object's path is made of";
        match binary::text(kind.code, kind.is_unsigned(), content) {
            Some(text) if binary::layout(kind.code) == binary::Layout::Temporal => {
                Ok(Written::Quoted {
                    bytes: text.into_bytes(),
                    is_string: true,
                    is_utf8: true,
                })
            }
            Some(text) => Ok(Written::Number(text)),
            None if kind.is_decimal() => match String::from_utf8_lossy(content) {
                Cow::Borrowed(text) => Ok(Written::Number(text.to_owned())),
                Cow::Owned(_) => Err(UNKNOWN),
            },
            None => Err(UNKNOWN),
        }
    }

    /// Text is sent in the client's character set.
    fn check_charset(&self, column: &Coded, stored: &Replaced) -> Result<(), Refusal> {
        let Replaced::Text(text) = stored else {
            return Ok(());
        };
        let fits = match self.charset {
            "utf8mb4" => true,
            "utf8mb3" | "utf8" => text.iter().all(|byte| *byte < 0xF0),
            _ => text.is_ascii(),
        };
        match fits {
            true => Ok(()),
            false => Err(Refusal::unsupported(
                &column.name,
                "what is stored for it cannot be written in the client's character set",
                "SET NAMES utf8mb4",
            )),
        }
    }
}

/// The type that values of a column are sent as, where another value is sent than the client's.
pub fn kind_of(column: &Coded) -> Kind {
    Kind::plain(match column.chain.dtype {
        Dtype::Bytes => binary::BLOB,
        Dtype::Json | Dtype::Other(_) => binary::VAR_STRING,
    })
}

fn of_stored(stored: Stored) -> Replaced {
    match stored {
        Stored::Null => Replaced::Null,
        Stored::Bytes(bytes) => Replaced::Bytes(bytes),
        Stored::Text(text) | Stored::Number(text) => Replaced::Text(text.into()),
    }
}
