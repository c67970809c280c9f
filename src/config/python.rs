//! `[codecs.python]`: packages of codecs that are installed in a Python environment.

use std::path::PathBuf;
use std::time::Duration;

use super::ConfigError;
use super::section::{Field, Section, Zero};
use crate::python::Settings;

pub(super) const KEYS: &[&str] = &[
    "interpreter",
    "workers",
    "deadline_seconds",
    "start_seconds",
    "memory_bytes",
    "allow_pickle",
];

/// Less than Python with `datajoint` takes, in bytes.
const LEAST_MEMORY: i64 = 64 << 20;

pub(super) fn read(mut section: Section) -> Result<Settings, ConfigError> {
    let hint = "set it to the Python of the environment, as in \"/opt/labenv/bin/python\"";
    let interpreter: PathBuf = section.require("interpreter", hint)?.path()?;
    let default = Settings::new(interpreter);
    let seconds = |field: Option<Field>, default: Duration| {
        field.map_or(Ok(default), |field| field.seconds(Zero::Refused))
    };
    Ok(Settings {
        workers: section
            .take("workers")
            .map_or(Ok(default.workers), |field| field.whole(1))?,
        deadline: seconds(section.take("deadline_seconds"), default.deadline)?,
        start: seconds(section.take("start_seconds"), default.start)?,
        memory_bytes: section
            .take("memory_bytes")
            .map_or(Ok(default.memory_bytes), |field| field.whole(LEAST_MEMORY))?,
        allow_pickle: section
            .take("allow_pickle")
            .map_or(Ok(default.allow_pickle), |field| field.boolean())?,
        interpreter: default.interpreter,
    })
}
