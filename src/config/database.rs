//! How `mysql_async` is told of the database.

use mysql_async::{OptsBuilder, SslOpts};

use super::{Address, Database, DatabaseTls};

impl Database {
    /// What the configured account's own connections (catalog, `check`) are opened with.
    pub fn connection_options(&self) -> OptsBuilder {
        let options = OptsBuilder::default()
            .user(Some(&self.user))
            .pass(Some(self.password.expose()))
            // It would look up the server's socket and move over to it, where the server may
            // know the account by another host name.
            .prefer_socket(false);
        let options = match &self.address {
            Address::Tcp { host, port } => options.ip_or_hostname(host).tcp_port(*port),
            Address::Unix(path) => options.socket(Some(path.to_string_lossy())),
        };
        match self.tls {
            DatabaseTls::Off | DatabaseTls::Follow => options,
            DatabaseTls::Always => options.ssl_opts(self.tls_options()),
        }
    }

    fn tls_options(&self) -> SslOpts {
        match &self.tls_ca {
            Some(ca) => SslOpts::default()
                .with_root_certs(vec![ca.clone().into()])
                .with_disable_built_in_roots(true),
            None => SslOpts::default().with_danger_accept_invalid_certs(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::Opts;

    use super::*;
    use crate::store::Secret;

    fn options(address: Address, tls: DatabaseTls, tls_ca: Option<&str>) -> Opts {
        let database = Database {
            address,
            user: "proxy".into(),
            password: Secret::new("secret"),
            tls,
            tls_ca: tls_ca.map(Into::into),
        };
        database.connection_options().into()
    }

    #[test]
    fn an_address_and_an_account() {
        let tcp = Address::Tcp {
            host: "db".into(),
            port: 3307,
        };
        let options_tcp = options(tcp, DatabaseTls::Off, None);
        assert_eq!(options_tcp.ip_or_hostname(), "db");
        assert_eq!(options_tcp.tcp_port(), 3307);
        assert_eq!(options_tcp.user(), Some("proxy"));
        assert_eq!(options_tcp.pass(), Some("secret"));
        assert!(!options_tcp.prefer_socket());

        let unix = options(Address::Unix("/run/m.sock".into()), DatabaseTls::Off, None);
        assert_eq!(unix.socket(), Some("/run/m.sock"));
    }

    #[test]
    fn tls_where_it_is_asked_for() {
        let tls = |tls, ca| {
            let host = "db".to_owned();
            options(Address::Tcp { host, port: 3306 }, tls, ca)
        };
        assert!(tls(DatabaseTls::Off, None).ssl_opts().is_none());
        assert!(tls(DatabaseTls::Follow, None).ssl_opts().is_none());
        let any = tls(DatabaseTls::Always, None);
        assert!(any.ssl_opts().is_some_and(|ssl| ssl.accept_invalid_certs()));
        let ca = tls(DatabaseTls::Always, Some("/ca.pem"));
        let ssl = ca.ssl_opts().expect("TLS is on");
        assert!(!ssl.accept_invalid_certs() && !ssl.skip_domain_validation());
        assert!(ssl.disable_built_in_roots());
        assert_eq!(ssl.root_certs().len(), 1);
    }
}
