//! `/`: the process at a glance, for a person at a desk or with a phone.
//!
//! One document without scripts and without anything to load; the browser asks for it again every
//! few seconds. All text that comes from elsewhere is written through [`Escaped`].

use std::fmt::Write;

use super::html::{self, Escaped};
use super::ready;
use crate::admin::table::Table;
use crate::admin::{House, tables};
use crate::catalog::ColumnCodec;
use crate::session::roster::{Counted, Seen, State};
use crate::store::StoreSettings;

const STYLE: &str = include_str!("page.css");
/// Seconds until the browser asks again.
const REFRESH: u32 = 5;
/// Sessions that are shown; the console has all.
const SESSIONS: usize = 50;
/// Refusals that are shown.
const REFUSALS: usize = 10;
/// Seconds that a rate is of.
const RATE: usize = 10;

/// The whole document.
pub(super) fn page(house: &House) -> String {
    let mut out = String::with_capacity(16 << 10);
    // Writing to a string does not fail.
    let _ = write(&mut out, house);
    out
}

fn write(out: &mut String, house: &House) -> std::fmt::Result {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"refresh\" content=\"{REFRESH}\">\
         <title>codec-proxy</title><style>{STYLE}</style></head><body>\n\
         <header><h1>codec-proxy</h1><p>version {}, up {}; looks again every {REFRESH} s</p></header>\n",
        env!("CARGO_PKG_VERSION"),
        html::time(house.uptime().as_secs()),
    )?;
    let seen = house.shared().roster.look();
    tiles(out, house, &seen)?;
    stores(out, house)?;
    let refusals = grouped(tables::refusals());
    match refusals.rows.is_empty() {
        true => write!(out, "<h2>Last errors</h2>\n<p class=\"dim\">None.</p>\n")?,
        false => listing(out, "Last errors", &refusals, REFUSALS)?,
    }
    sessions(out, seen)?;
    listing(out, "Codecs", &tables::codecs(), usize::MAX)?;
    write!(
        out,
        "<footer>For programs: <a href=\"/metrics\">/metrics</a>, \
         <a href=\"/health\">/health</a>, <a href=\"/ready\">/ready</a></footer>\n</body></html>\n"
    )
}

fn tiles(out: &mut String, house: &House, seen: &[Seen]) -> std::fmt::Result {
    let busy = seen.iter().filter(|s| is_busy(s)).count();
    let seconds = house.pulse.seconds();
    let index = house.shared().catalog.index();
    let codecs = index.tables().flat_map(|table| &table.columns);
    let codecs: Vec<_> = codecs.filter_map(|column| column.codec.as_ref()).collect();
    let unusable = codecs
        .iter()
        .filter(|c| matches!(c, ColumnCodec::Unusable { .. }));
    let unusable = match unusable.count() {
        0 => "codec columns".to_owned(),
        n => format!("codec columns, {n} unusable"),
    };
    out.push_str("<div class=\"tiles\">\n");
    tile(
        out,
        &seen.len().to_string(),
        &format!("sessions, {busy} busy"),
        &[],
    )?;
    let rate = |of: fn(&Counted) -> u64| {
        let last = &seconds[seconds.len().saturating_sub(RATE)..];
        let sum: u64 = last.iter().map(of).sum();
        sum as f64 / last.len().max(1) as f64
    };
    let curve = |of: fn(&Counted) -> u64| seconds.iter().map(of).collect::<Vec<_>>();
    let commands = rate(|s| s.commands);
    let commands = match commands < 10.0 {
        true => format!("{commands:.1}"),
        false => format!("{commands:.0}"),
    };
    tile(out, &commands, "commands a second", &curve(|s| s.commands))?;
    let received = format!("{}/s", html::bytes(rate(|s| s.received) as u64));
    tile(out, &received, "from clients", &curve(|s| s.received))?;
    let sent = format!("{}/s", html::bytes(rate(|s| s.sent) as u64));
    tile(out, &sent, "to clients", &curve(|s| s.sent))?;
    tile(out, &codecs.len().to_string(), &unusable, &[])?;
    out.push_str("</div>\n");
    Ok(())
}

/// A number with what it counts, and how it was in the last seconds.
fn tile(out: &mut String, value: &str, of: &str, curve: &[u64]) -> std::fmt::Result {
    write!(
        out,
        "<div class=\"tile\"><b>{}</b><span>{}</span>",
        Escaped(value),
        Escaped(of)
    )?;
    if let Some(highest) = curve.iter().max().filter(|highest| **highest > 0) {
        out.push_str(
            "<svg viewBox=\"0 0 60 20\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
        );
        let first = 60 - curve.len().min(60);
        for (n, value) in curve.iter().enumerate().filter(|(_, value)| **value > 0) {
            let height = (*value as f64 / *highest as f64 * 20.0).max(0.5);
            write!(
                out,
                "<rect x=\"{}\" y=\"{:.1}\" width=\"0.8\" height=\"{height:.1}\"/>",
                first + n,
                20.0 - height
            )?;
        }
        out.push_str("</svg>");
    }
    out.push_str("</div>\n");
    Ok(())
}

fn is_busy(seen: &Seen) -> bool {
    matches!(seen.state, State::Working | State::Running)
}

/// The busy ones first, and of those the ones that take longest.
fn sessions(out: &mut String, mut seen: Vec<Seen>) -> std::fmt::Result {
    let all = seen.len();
    seen.sort_by_key(|s| (!is_busy(s), std::cmp::Reverse(s.since)));
    seen.truncate(SESSIONS);
    let more = match all - seen.len() {
        0 => String::new(),
        more => format!(" <span class=\"dim\">({more} more)</span>"),
    };
    writeln!(out, "<h2>Sessions{more}</h2>")?;
    if seen.is_empty() {
        return out.write_str("<p class=\"dim\">Nobody is connected.</p>\n");
    }
    let heads = [
        "Id", "View", "Account", "Client", "State", "In", "Out", "Commands",
    ];
    head(out, &heads, |head| {
        matches!(head, "Commands" | "In" | "Out")
    })?;
    for s in seen {
        let account = match &s.database {
            Some(database) => format!("{} in {database}", s.user),
            None => s.user.clone(),
        };
        let since = match s.since.as_millis() {
            ms @ ..10_000 => format!("{ms} ms"),
            _ => html::time(s.since.as_secs()),
        };
        let state = match is_busy(&s) {
            true => format!("{} {} for {since}", s.state.name(), s.verb),
            false => format!("{} for {since}", s.state.name()),
        };
        out.push_str("<tr>");
        cell(out, "Id", "t", &s.id.to_string())?;
        cell(out, "View", "t", s.view.name())?;
        cell(out, "Account", "all", &account)?;
        cell(out, "Client", "t all", &s.client.to_string())?;
        cell(out, "State", "all", &state)?;
        cell(out, "In", "n", &html::bytes(s.counted.received))?;
        cell(out, "Out", "n", &html::bytes(s.counted.sent))?;
        cell(out, "Commands", "n", &s.counted.commands.to_string())?;
        out.push_str("</tr>\n");
    }
    out.write_str("</tbody></table></div>\n")
}

/// The stores, and how they were when `/ready` was last asked.
fn stores(out: &mut String, house: &House) -> std::fmt::Result {
    out.push_str("<h2>Database and stores</h2>\n");
    let config = house.config.load_full();
    let last = ready::last(house);
    let state = |part: &str| {
        let (_, (_, text)) = last.as_ref()?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(part)?.strip_prefix(": "));
        line.map(str::to_owned)
    };
    let address = config.database.address.to_string();
    let database = ("database".to_owned(), address, state("database"));
    let protocol = |settings: &StoreSettings| settings.protocol.clone().unwrap_or_default();
    let stores = config.stores.stores.iter().map(|(name, settings)| {
        let part = format!("store {name}");
        let state = state(&part);
        (part, protocol(settings), state)
    });
    head(out, &["Part", "Where", "State"], |_| false)?;
    for (part, place, state) in std::iter::once(database).chain(stores) {
        out.push_str("<tr>");
        cell(out, "Part", "", &part)?;
        cell(out, "Where", "all", &place)?;
        match state.as_deref() {
            Some("ok") => cell(out, "State", "ok all", "ok")?,
            Some(fault) => cell(out, "State", "bad all", fault)?,
            None => cell(out, "State", "dim all", "not asked yet")?,
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    if let Some((age, _)) = last {
        writeln!(
            out,
            "<p class=\"dim\">As of {} ago.</p>",
            html::time(age.as_secs())
        )?;
    }
    Ok(())
}

/// The same error, sent many times, is one row: the newest, with how many there were.
fn grouped(refusals: Table) -> Table {
    let message = refusals.columns.len() - 1;
    let mut groups: Vec<(Vec<Option<String>>, usize)> = Vec::new();
    for row in refusals.rows {
        let same = groups
            .iter_mut()
            .find(|(one, _)| one[message] == row[message]);
        match same {
            Some((_, count)) => *count += 1,
            None => groups.push((row, 1)),
        }
    }
    let rows = groups.into_iter().map(|(mut row, count)| {
        if let (Some(text), 2..) = (&mut row[message], count) {
            *text += &format!(" ({count} times)");
        }
        row
    });
    Table {
        rows: rows.collect(),
        ..refusals
    }
}

/// A listing of the console as it is.
fn listing(out: &mut String, title: &str, table: &Table, most: usize) -> std::fmt::Result {
    writeln!(out, "<h2>{}</h2>", Escaped(title))?;
    let heads: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    let is_number = |head: &str| table.columns.iter().any(|c| c.name == head && c.number);
    head(out, &heads, is_number)?;
    for row in table.rows.iter().take(most) {
        out.push_str("<tr>");
        for (column, value) in table.columns.iter().zip(row) {
            let class = match column.name {
                "Message" => "wide",
                "Time" => "t all",
                "Addressing" | "Origin" => "all",
                _ if column.number => "n",
                _ => "",
            };
            cell(
                out,
                column.name,
                class,
                value.as_deref().unwrap_or_default(),
            )?;
        }
        out.push_str("</tr>\n");
    }
    out.write_str("</tbody></table></div>\n")
}

fn head(out: &mut String, heads: &[&str], is_number: impl Fn(&str) -> bool) -> std::fmt::Result {
    out.push_str("<div class=\"table\"><table><thead><tr>");
    for head in heads {
        let class = if is_number(head) { "n" } else { "" };
        write!(out, "<th class=\"{class}\">{}</th>", Escaped(head))?;
    }
    out.write_str("</tr></thead><tbody>\n")
}

fn cell(out: &mut String, name: &str, class: &str, value: &str) -> std::fmt::Result {
    write!(
        out,
        "<td class=\"{class}\" data-name=\"{}\">{}</td>",
        Escaped(name),
        Escaped(value)
    )
}
