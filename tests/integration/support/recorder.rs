//! Records what a server answers to a list of commands, to compare two ways to the same server.

use super::client::{Client, Expect, Frame, Login, com, packets, proof};

/// The packets of one step, with what must differ between two runs masked.
pub struct Step {
    pub name: String,
    pub frames: Vec<Frame>,
}

impl Step {
    /// True where the connection ended instead of an answer: the list checks less than it seems.
    pub fn is_cut_short(&self) -> bool {
        let answered = !self.name.starts_with("long data") && !self.name.starts_with("close");
        answered && self.frames.is_empty()
    }
}

/// A session whose every answer is kept.
pub struct Recorder {
    pub client: Client,
    pub steps: Vec<Step>,
}

impl Recorder {
    pub fn connect(port: u16, login: &Login) -> Self {
        let client = Client::connect(port, login).unwrap_or_else(|error| panic!("{error}"));
        Self {
            client,
            steps: Vec::new(),
        }
    }

    /// Runs a statement without recording it: preparation.
    pub fn quiet(&mut self, sql: &str) {
        self.client.ok(sql);
    }

    pub fn query(&mut self, sql: impl AsRef<[u8]>) {
        let sql = sql.as_ref();
        let name = super::client::shorten(sql);
        self.command(&name, com::QUERY, sql, Expect::Results);
    }

    pub fn command(&mut self, name: &str, command: u8, body: &[u8], expect: Expect) {
        let frames = self.client.command(command, body, expect);
        self.keep_answer(name, expect, frames);
    }

    /// Prepares a statement, records that, and returns its id.
    pub fn prepare(&mut self, sql: &str) -> u32 {
        let frames = self
            .client
            .command(com::STMT_PREPARE, sql.as_bytes(), Expect::Prepare);
        let first = &frames[0].body;
        let id = if first[0] == 0 {
            u32::from_le_bytes([first[1], first[2], first[3], first[4]])
        } else {
            0
        };
        self.keep_answer(&format!("prepare {sql}"), Expect::Prepare, frames);
        id
    }

    /// Executes a statement with parameters of the binary protocol (see [`execute_body`]).
    pub fn execute(&mut self, name: &str, id: u32, flags: u8, rest: &[u8]) {
        self.command(
            &format!("execute {name}"),
            com::STMT_EXECUTE,
            &execute_body(id, flags, rest),
            Expect::Results,
        );
    }

    /// Sends several commands at once, before any answer is read.
    pub fn pipeline(&mut self, name: &str, commands: &[(u8, Vec<u8>, Expect)]) {
        let mut bytes = Vec::new();
        for (command, body, _) in commands {
            bytes.extend(packets(0, &[&[*command], body.as_slice()].concat()));
        }
        self.client.send_raw(&bytes);
        for (at, (_, _, expect)) in commands.iter().enumerate() {
            let frames = self.client.answer(*expect);
            self.keep_answer(&format!("{name}, answer {at}"), *expect, frames);
        }
    }

    /// COM_CHANGE_USER, answering the server's salt; the salt itself is not compared.
    pub fn change_user(&mut self, name: &str, user: &str, password: &str, database: &str) {
        let mut body = [user.as_bytes(), b"\0"].concat();
        body.push(0); // no proof yet: the server asks for one
        body.extend_from_slice(database.as_bytes());
        body.extend_from_slice(b"\0\x2d\0mysql_native_password\0");
        let frames = self.client.command(com::CHANGE_USER, &body, Expect::Single);
        let Some(Frame { sequence, body }) = frames.first().cloned() else {
            return self.keep(name, frames);
        };
        if body.first() != Some(&0xfe) {
            return self.keep(name, frames);
        }
        let after_plugin = body.iter().position(|b| *b == 0).unwrap_or(0) + 1;
        let salt = &body[after_plugin..body.len() - 1];
        let answer = packets(sequence.wrapping_add(1), &proof(salt, password));
        self.client.send_raw(&answer);
        let masked = Frame {
            sequence,
            body: body[..after_plugin].to_vec(),
        };
        self.keep(&format!("{name}, switch"), vec![masked]);
        let frames = self.client.answer(Expect::Single);
        self.keep(name, frames);
    }

    /// COM_STATISTICS counts and times: only its words are compared.
    pub fn statistics(&mut self) {
        let mut frames = self.client.command(com::STATISTICS, b"", Expect::Single);
        for frame in &mut frames {
            frame.body.retain(|byte| !byte.is_ascii_digit());
        }
        self.keep("COM_STATISTICS", frames);
    }

    /// Records whether the server has closed the connection.
    pub fn closed(&mut self, name: &str) {
        let body = format!("closed: {}", self.client.is_closed()).into_bytes();
        self.keep(name, vec![Frame { sequence: 0, body }]);
    }

    /// Keeps an answer without the ids of statements: the server counts them over all sessions.
    fn keep_answer(&mut self, name: &str, expect: Expect, mut frames: Vec<Frame>) {
        if let Some(Frame { body, .. }) = frames.first_mut() {
            match body.first() {
                Some(0x00) if expect == Expect::Prepare => body[1..5].fill(0),
                Some(0xff) => mask_statement_id(body),
                _ => {}
            }
        }
        self.keep(name, frames);
    }

    fn keep(&mut self, name: &str, frames: Vec<Frame>) {
        let name = name.to_owned();
        self.steps.push(Step { name, frames });
    }
}

/// Takes the number out of "statement (17)" and "handler (17)" in an error's message.
fn mask_statement_id(message: &mut Vec<u8>) {
    for word in [&b"statement ("[..], b"handler ("] {
        if let Some(at) = message.windows(word.len()).position(|w| w == word) {
            let start = at + word.len();
            let digits = message[start..].iter().take_while(|b| b.is_ascii_digit());
            let end = start + digits.count();
            message.drain(start..end);
        }
    }
}

/// The body of COM_STMT_EXECUTE after the command byte; iteration count 1.
pub fn execute_body(id: u32, flags: u8, rest: &[u8]) -> Vec<u8> {
    let mut body = id.to_le_bytes().to_vec();
    body.push(flags);
    body.extend_from_slice(&1u32.to_le_bytes());
    body.extend_from_slice(rest);
    body
}

/// Every difference between two recordings, told in words.
pub fn differences(left: &[Step], right: &[Step]) -> Vec<String> {
    let mut found = Vec::new();
    for (l, r) in left.iter().zip(right) {
        assert_eq!(l.name, r.name, "both sides run the same list");
        if l.frames != r.frames {
            found.push(format!("{}\n{}", l.name, difference(&l.frames, &r.frames)));
        }
    }
    assert_eq!(left.len(), right.len(), "both sides run the same list");
    found
}

fn difference(left: &[Frame], right: &[Frame]) -> String {
    let at = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let show = |frames: &[Frame]| match frames.get(at) {
        None => "nothing".to_owned(),
        Some(Frame { sequence, body }) => format!(
            "#{sequence} {} bytes {:?}",
            body.len(),
            String::from_utf8_lossy(&body[..body.len().min(160)])
        ),
    };
    format!(
        "  packet {at} of {} direct:  {}\n  packet {at} of {} proxied: {}",
        left.len(),
        show(left),
        right.len(),
        show(right)
    )
}
