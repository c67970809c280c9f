//! From the tree to [`Config`]: every section with its keys, in the order of the file.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as NotAVariant, StrDeserializer};

use super::codecs;
use super::declare;
use super::section::{Field, Section, Zero};
use super::tree::{Origin, Table};
use super::{
    Address, Admin, Catalog, Config, ConfigError, Database, DatabaseTls, Identity, Limits, Listen,
    Metrics, Pointers, Tls,
};
use crate::codec::ObjectPath;
use crate::codec::registry::{Entry, Registry};
use crate::store::StoresSettings;
use crate::view::View;

/// The keys outside of all sections, and the sections.
pub(super) const ROOT: &[&str] = &[
    "threads",
    "datajoint",
    "database",
    "listen",
    "stores",
    "codecs",
    "pointers",
    "declare",
    "tls",
    "limits",
    "catalog",
    "admin",
    "metrics",
];
pub(super) const DATABASE: &[&str] = &[
    "address",
    "user",
    "password",
    "password_file",
    "tls",
    "tls_ca",
];
pub(super) const LISTEN: &[&str] = &["address", "view"];
pub(super) const TLS: &[&str] = &["enabled", "certificate", "key"];
pub(super) const POINTERS: &[&str] = &["also_readable"];
pub(super) const LIMITS: &[&str] = &[
    "statement_bytes",
    "row_bytes",
    "store_parallel",
    "prefetch_bytes",
    "value_bytes",
    "value_depth",
    "json_bytes",
    "directory_files",
    "login_seconds",
    "store_seconds",
    "value_seconds",
    "shutdown_seconds",
    "sessions",
    "prepared_statements",
    "long_data_bytes",
];
pub(super) const CATALOG: &[&str] = &["max_age_seconds"];
pub(super) const ADMIN: &[&str] = &["address", "user", "password", "password_file", "clients"];
pub(super) const METRICS: &[&str] = &["address", "clients"];

/// Clients of the console at the same time.
const ADMIN_CLIENTS: usize = 16;
/// Connections to the page at the same time.
const METRICS_CLIENTS: usize = 64;

/// The port of a database address without one.
const DATABASE_PORT: u16 = 3306;

/// Reads everything. `datajoint` gives the stores of the `datajoint.json` at a path.
pub(super) fn config(
    root: Table,
    origin: &Origin,
    datajoint: impl FnOnce(PathBuf, &Field) -> Result<StoresSettings, ConfigError>,
) -> Result<Config, ConfigError> {
    let mut root = Section::open("", origin, root, ROOT)?;
    let (codecs, python) = codecs::read(root.take("codecs"))?;
    // Each has a name of its own: that has been looked at.
    let known = Registry::with(codecs.iter().map(Entry::from)).unwrap_or_default();
    Ok(Config {
        threads: root
            .take("threads")
            .map(|field| field.whole(1))
            .transpose()?,
        database: database(root.section("database", DATABASE)?)?,
        listen: listeners(&mut root)?,
        stores: stores(&mut root, datajoint)?,
        pointers: pointers(root.section("pointers", POINTERS)?)?,
        declare: declare::read(root.section("declare", declare::KEYS)?, &known)?,
        codecs,
        python,
        tls: tls(root.section("tls", TLS)?)?,
        limits: limits(root.section("limits", LIMITS)?)?,
        catalog: catalog(root.section("catalog", CATALOG)?)?,
        admin: root
            .take("admin")
            .map(|field| admin(field.section(ADMIN)?))
            .transpose()?,
        metrics: root
            .take("metrics")
            .map(|field| metrics(field.section(METRICS)?))
            .transpose()?,
    })
}

fn database(mut section: Section) -> Result<Database, ConfigError> {
    let hint = "set it to host:port or to the path of the server's unix socket";
    let address = section.require("address", hint)?;
    let hint = "set it to the account that reads the catalog of codec columns";
    let user = section.require("user", hint)?.text()?.to_owned();
    let password = section.secret("password")?.unwrap_or_default();
    let address = database_address(&address)?;
    let tls = match section.take("tls") {
        Some(field) => database_tls(&field, &address)?,
        None => DatabaseTls::default(),
    };
    let tls_ca = section.take("tls_ca");
    if let (Some(field), DatabaseTls::Off) = (&tls_ca, tls) {
        return Err(field.invalid(
            "has no effect while `database.tls` is \"off\"; set that to \"follow\" or \"always\"",
        ));
    }
    Ok(Database {
        address,
        user,
        password,
        tls,
        tls_ca: tls_ca.map(|field| field.path()).transpose()?,
    })
}

fn database_address(field: &Field) -> Result<Address, ConfigError> {
    let written = field.text()?.trim();
    if written.contains('/') {
        return field.path().map(Address::Unix);
    }
    let parts = match written.parse::<Ipv6Addr>() {
        Ok(_) => Some((written, None)),
        Err(_) => host_port(written),
    };
    let address = parts.and_then(|(host, port)| {
        let port = port.map_or(Some(DATABASE_PORT), |port| port.parse().ok())?;
        (port != 0).then(|| Address::Tcp {
            host: host.to_owned(),
            port,
        })
    });
    address.ok_or_else(|| {
        field.invalid(&format!(
            "{written:?} is neither host:port nor the path of a unix socket"
        ))
    })
}

fn database_tls(field: &Field, address: &Address) -> Result<DatabaseTls, ConfigError> {
    let tls = match field.text()? {
        "off" => DatabaseTls::Off,
        "follow" => DatabaseTls::Follow,
        "always" => DatabaseTls::Always,
        other => {
            return Err(field.invalid(&format!(
                "{other:?} is none of \"off\", \"follow\", \"always\""
            )));
        }
    };
    match (tls, address) {
        (DatabaseTls::Off, _) | (_, Address::Tcp { .. }) => Ok(tls),
        (_, Address::Unix(_)) => Err(field
            .invalid("is for TCP; a unix socket does not leave the machine: set it to \"off\"")),
    }
}

fn listeners(root: &mut Section) -> Result<Vec<Listen>, ConfigError> {
    let hint = "add a [[listen]] section with the address for clients";
    let entries = root.require("listen", hint)?;
    let none = entries.invalid("is empty; add a [[listen]] section with the address for clients");
    let mut listeners: Vec<Listen> = Vec::new();
    for entry in entries.list()? {
        let mut section = entry.section(LISTEN)?;
        let hint = "set it to host:port; port 0 is any free one";
        let field = section.require("address", hint)?;
        let address = listen_address(&field)?;
        let any_port = address.ends_with(":0");
        if !any_port && listeners.iter().any(|other| other.address == address) {
            return Err(field.invalid(&format!("another [[listen]] has {address:?} already")));
        }
        let view = section
            .take("view")
            .map(view)
            .transpose()?
            .unwrap_or_default();
        listeners.push(Listen { address, view });
    }
    if listeners.is_empty() {
        return Err(none);
    }
    Ok(listeners)
}

fn listen_address(field: &Field) -> Result<String, ConfigError> {
    let written = field.text()?.trim();
    match host_port(written) {
        Some((_, Some(port))) if port.parse::<u16>().is_ok() => Ok(written.to_owned()),
        _ => Err(field.invalid(&format!(
            "{written:?} is not host:port, as in \"127.0.0.1:6033\" or \"[::]:6033\""
        ))),
    }
}

fn view(field: Field) -> Result<View, ConfigError> {
    let text: StrDeserializer<'_, NotAVariant> = field.text()?.into_deserializer();
    View::deserialize(text).map_err(|error| field.invalid(&error.to_string()))
}

fn stores(
    root: &mut Section,
    datajoint: impl FnOnce(PathBuf, &Field) -> Result<StoresSettings, ConfigError>,
) -> Result<StoresSettings, ConfigError> {
    match (root.take("datajoint"), root.take("stores")) {
        (Some(file), Some(stores)) => Err(ConfigError::Conflict {
            origin: file.node.origin,
            key: file.key,
            other: stores.key,
        }),
        (Some(file), None) => {
            let path = file.path()?;
            datajoint(path, &file)
        }
        (None, Some(stores)) => super::stores::read(stores),
        (None, None) => Ok(StoresSettings::default()),
    }
}

fn pointers(mut section: Section) -> Result<Pointers, ConfigError> {
    let sections = section.take("also_readable").map(Field::list).transpose()?;
    let parse = |field: Field| {
        ObjectPath::parse(field.text()?).map_err(|error| field.invalid(&error.to_string()))
    };
    let sections = sections.unwrap_or_default().into_iter().map(parse);
    Ok(Pointers {
        also_readable: sections.collect::<Result<_, _>>()?,
    })
}

fn tls(mut section: Section) -> Result<Tls, ConfigError> {
    let enabled = section
        .take("enabled")
        .map(|field| field.boolean())
        .transpose()?;
    let alone = |field: &Field, other: &str| {
        field.invalid(&format!(
            "needs `tls.{other}` too; without both, one is made at start"
        ))
    };
    let identity = match (section.take("certificate"), section.take("key")) {
        (Some(certificate), Some(key)) => Some(Identity {
            certificate: certificate.path()?,
            key: key.path()?,
        }),
        (Some(certificate), None) => return Err(alone(&certificate, "key")),
        (None, Some(key)) => return Err(alone(&key, "certificate")),
        (None, None) => None,
    };
    Ok(Tls {
        enabled: enabled.unwrap_or(Tls::default().enabled),
        identity,
    })
}

fn limits(mut section: Section) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let mut whole = |name, default| section.take(name).map_or(Ok(default), |f| f.whole(1));
    let statement_bytes = whole("statement_bytes", default.statement_bytes)?;
    let row_bytes = whole("row_bytes", default.row_bytes)?;
    let prefetch_bytes = whole("prefetch_bytes", default.prefetch_bytes)?;
    let value_bytes = whole("value_bytes", default.value_bytes)?;
    let json_bytes = whole("json_bytes", default.json_bytes)?;
    let long_data_bytes = whole("long_data_bytes", default.long_data_bytes)?;
    let mut count = |name, default| section.take(name).map_or(Ok(default), |f| f.whole(1));
    let store_parallel = count("store_parallel", default.store_parallel)?;
    let sessions = count("sessions", default.sessions)?;
    let prepared_statements = count("prepared_statements", default.prepared_statements)?;
    let value_depth = count("value_depth", default.value_depth)?;
    let directory_files = count("directory_files", default.directory_files)?;
    let mut seconds =
        |name, default, zero| section.take(name).map_or(Ok(default), |f| f.seconds(zero));
    Ok(Limits {
        statement_bytes,
        row_bytes,
        store_parallel,
        prefetch_bytes,
        value_bytes,
        value_depth,
        json_bytes,
        directory_files,
        login_seconds: seconds("login_seconds", default.login_seconds, Zero::Refused)?,
        store_seconds: seconds("store_seconds", default.store_seconds, Zero::Refused)?,
        value_seconds: seconds("value_seconds", default.value_seconds, Zero::Refused)?,
        shutdown_seconds: seconds("shutdown_seconds", default.shutdown_seconds, Zero::Allowed)?,
        sessions,
        prepared_statements,
        long_data_bytes,
    })
}

fn catalog(mut section: Section) -> Result<Catalog, ConfigError> {
    let mut catalog = Catalog::default();
    if let Some(field) = section.take("max_age_seconds") {
        catalog.max_age_seconds = field.seconds(Zero::Refused)?;
    }
    Ok(catalog)
}

fn admin(mut section: Section) -> Result<Admin, ConfigError> {
    let hint = "set it to host:port, or remove the section [admin]";
    let address = listen_address(&section.require("address", hint)?)?;
    let hint = "set it to the name that people log in with";
    let user = section.require("user", hint)?.text()?.to_owned();
    let password = section.secret("password")?;
    let password = password.filter(|password| !password.is_empty());
    let Some(password) = password else {
        return Err(ConfigError::Missing {
            place: section.origin.to_string(),
            key: "admin.password".to_owned(),
            hint: "set it, or password_file; the console is for nobody without one",
        });
    };
    Ok(Admin {
        address,
        user,
        password,
        clients: clients(&mut section, ADMIN_CLIENTS)?,
    })
}

fn metrics(mut section: Section) -> Result<Metrics, ConfigError> {
    let hint = "set it to host:port, or remove the section [metrics]";
    Ok(Metrics {
        address: listen_address(&section.require("address", hint)?)?,
        clients: clients(&mut section, METRICS_CLIENTS)?,
    })
}

fn clients(section: &mut Section, default: usize) -> Result<usize, ConfigError> {
    section
        .take("clients")
        .map_or(Ok(default), |field| field.whole(1))
}

/// The two parts of `host:port`, `host`, `[IPv6]:port` or `[IPv6]`, without the brackets; `None`
/// where there is no host, or where nobody could tell its colons from that before the port.
fn host_port(written: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = written.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return match rest {
            "" => Some((host, None)),
            _ => Some((host, Some(rest.strip_prefix(':')?))),
        };
    }
    let (host, port) = match written.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (written, None),
    };
    let is_name = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == ']');
    is_name.then_some((host, port))
}
