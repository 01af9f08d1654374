//! RabbitMQ by its own client, `rabbitmqctl`.
//!
//! Passwords go over the client's input, never into its arguments.

use crate::args::Expanded;
use crate::system::program;
use crate::words::quote;
use crate::{Host, ModuleError, ProcessOutput, Result, args};

args! {
    /// How to reach the management API. It is not built: what asks for it is refused.
    pub struct Api {
        /// Protocol of the API; not supported.
        login_protocol: String = choices(&["http", "https"]), default("http");
        /// Host of the API; not supported.
        login_host: Option<String>;
        /// Port of the API; not supported.
        login_port: String = default("15672");
        /// User of the API; not supported.
        login_user: Option<String>;
        /// Password of the API; not supported.
        login_password: Option<String> = no_log();
    }
}

args! {
    /// Certificates for the management API.
    pub struct ApiCertificates {
        /// Authority of the API's certificate; not supported.
        ca_cert: Option<Expanded>;
        /// Certificate for the API; not supported.
        client_cert: Option<Expanded>;
        /// Key for the API; not supported.
        client_key: Option<Expanded>;
    }
}

const API: &str =
    "the management API is not spoken; without it, rabbitmqctl is used on the host of the broker";

impl Api {
    /// What is given and would do something is refused by name.
    pub fn refuse(&self) -> Result<()> {
        let given = [
            ("login_host", self.login_host.is_some()),
            ("login_user", self.login_user.is_some()),
            ("login_password", self.login_password.is_some()),
            ("login_port", self.login_port != "15672"),
            ("login_protocol", self.login_protocol != "http"),
        ];
        refuse(&given)
    }
}

impl ApiCertificates {
    pub fn refuse(&self) -> Result<()> {
        let given = [
            ("ca_cert", self.ca_cert.is_some()),
            ("client_cert", self.client_cert.is_some()),
            ("client_key", self.client_key.is_some()),
        ];
        refuse(&given)
    }
}

fn refuse(given: &[(&str, bool)]) -> Result<()> {
    match given.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(program::refuse(name, API)),
        None => Ok(()),
    }
}

/// A node of a cluster, as `rabbitmqctl` reaches it.
#[derive(Clone, Debug)]
pub struct Broker {
    /// `rabbit` or `rabbit@host`.
    pub node: String,
}

impl Broker {
    /// Run a command; `input` is what it asks for.
    pub fn try_run(
        &self,
        host: &Host,
        words: &[&str],
        input: Option<&str>,
    ) -> Result<(ProcessOutput, String)> {
        let path = program::required(host, "rabbitmqctl")?;
        let all = ["-q", "-n", &self.node].into_iter().chain(words.iter().copied());
        let all: Vec<&str> = all.collect();
        let mut process = crate::Process::new(&path).args(&all);
        if let Some(input) = input {
            process = process.stdin(format!("{input}\n"));
        }
        let shown: Vec<String> =
            std::iter::once(path.to_string_lossy().as_ref()).chain(all.iter().copied()).map(quote).collect();
        Ok((program::run(host, &process)?, shown.join(" ")))
    }

    /// Run a command that has to succeed; gives what it printed.
    pub fn run(&self, host: &Host, words: &[&str], input: Option<&str>) -> Result<String> {
        let (output, shown) = self.try_run(host, words, input)?;
        if output.success() {
            return Ok(output.out());
        }
        Err(ModuleError::new(output.err().trim_end())
            .with("cmd", shown)
            .with("rc", output.rc)
            .with("stdout", output.out())
            .with("stderr", output.err()))
    }

    /// Rows of a table, whose columns have tabs between. Newer versions print `header` above them, in spite of `-q`;
    /// it is no possible row: tags are in brackets, tracing is `true` or `false`.
    pub fn rows(&self, host: &Host, words: &[&str], header: &[&str]) -> Result<Vec<Vec<String>>> {
        let text = self.run(host, words, None)?;
        Ok(rows(&text, header))
    }
}

fn rows(text: &str, header: &[&str]) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> =
        text.lines().filter(|l| !l.is_empty()).map(|l| l.split('\t').map(str::to_owned).collect()).collect();
    if rows.first().is_some_and(|row| row == header) {
        rows.remove(0);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::rows;

    // Printed by rabbitmqctl 3.10 (with header) and, without, by 3.6.
    #[test]
    fn a_header_is_no_row() {
        let header = ["vhost", "configure", "write", "read"];
        let expected = [["/", "^$", "^$", "a b"]];
        assert_eq!(rows("vhost\tconfigure\twrite\tread\n/\t^$\t^$\ta b\n", &header), expected);
        assert_eq!(rows("/\t^$\t^$\ta b\n", &header), expected);
        assert!(rows("", &header).is_empty());
    }
}
