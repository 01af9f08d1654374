//! Every option of ssh_config(5): what its value looks like, and what this program does about it.

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `yes` or `no` (`true`, `false`).
    Flag,
    /// One of these words, besides `yes` and `no` where they are named.
    Word(&'static [&'static str]),
    /// A number.
    Number,
    /// Seconds, or `1h30m`; also `none`.
    Time,
    /// One word.
    Text,
    /// Several words.
    Words,
    /// A list of algorithms, perhaps with `+`, `-` or `^` in front.
    Algorithms,
    /// The rest of the line as it stands.
    Line,
}

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is used.
    Used,
    /// Each line adds to what the lines before gave.
    Added,
    /// It is about something a run does not do (terminals, forwarding, multiplexing, appearance).
    Without,
    /// It would change who is let in, or how the host is reached, in a way that is not built: these values
    /// alone are accepted, as they ask for nothing.
    Refused(&'static [&'static str]),
}

use Fate::{Added, Refused, Used, Without};
use Kind::{Algorithms, Flag, Line, Number, Text, Time, Words};

const STRICT: Kind = Kind::Word(&["yes", "no", "true", "false", "off", "ask", "accept-new"]);
const FAMILY: Kind = Kind::Word(&["any", "inet", "inet6"]);

/// Name in lower case, value, fate.
const KEYWORDS: &[(&str, Kind, Fate)] = &[
    ("addkeystoagent", Text, Without),
    ("addressfamily", FAMILY, Used),
    ("batchmode", Flag, Used),
    ("bindaddress", Text, Used),
    ("bindinterface", Text, Used),
    ("canonicaldomains", Words, Without),
    ("canonicalizefallbacklocal", Flag, Without),
    ("canonicalizehostname", Text, Refused(&["no", "false"])),
    ("canonicalizemaxdots", Number, Without),
    ("canonicalizepermittedcnames", Words, Without),
    ("casignaturealgorithms", Algorithms, Used),
    ("certificatefile", Text, Added),
    ("challengeresponseauthentication", Flag, Used),
    ("channeltimeout", Words, Without),
    ("checkhostip", Flag, Without),
    ("ciphers", Algorithms, Used),
    ("clearallforwardings", Flag, Without),
    ("compression", Flag, Used),
    ("connectionattempts", Number, Used),
    ("connecttimeout", Time, Used),
    ("controlmaster", Text, Without),
    ("controlpath", Text, Without),
    ("controlpersist", Text, Without),
    ("dynamicforward", Words, Without),
    ("enableescapecommandline", Flag, Without),
    ("enablesshkeysign", Flag, Without),
    ("escapechar", Text, Without),
    ("exitonforwardfailure", Flag, Without),
    ("fingerprinthash", Text, Without),
    ("forkafterauthentication", Flag, Without),
    ("forwardagent", Text, Used),
    ("forwardx11", Flag, Without),
    ("forwardx11timeout", Time, Without),
    ("forwardx11trusted", Flag, Without),
    ("gatewayports", Flag, Without),
    ("globalknownhostsfile", Words, Used),
    ("gssapiauthentication", Flag, Without),
    ("gssapiclientidentity", Text, Without),
    ("gssapidelegatecredentials", Flag, Without),
    ("gssapikexalgorithms", Text, Without),
    ("gssapikeyexchange", Flag, Without),
    ("gssapirenewalforcesrekey", Flag, Without),
    ("gssapiserveridentity", Text, Without),
    ("gssapitrustdns", Flag, Without),
    ("hashknownhosts", Flag, Used),
    ("hostbasedacceptedalgorithms", Algorithms, Without),
    ("hostbasedauthentication", Flag, Without),
    ("hostbasedkeytypes", Algorithms, Without),
    ("hostkeyalgorithms", Algorithms, Used),
    ("hostkeyalias", Text, Used),
    ("hostname", Text, Used),
    ("identitiesonly", Flag, Used),
    ("identityagent", Text, Used),
    ("identityfile", Text, Added),
    ("identityfile2", Text, Added),
    ("ignoreunknown", Words, Used),
    ("ipqos", Words, Without),
    ("kbdinteractiveauthentication", Flag, Used),
    ("kbdinteractivedevices", Text, Without),
    ("kexalgorithms", Algorithms, Used),
    ("knownhostscommand", Line, Refused(&["none"])),
    ("localcommand", Line, Without),
    ("localforward", Words, Without),
    ("loglevel", Text, Without),
    ("logverbose", Words, Without),
    ("macs", Algorithms, Used),
    ("nohostauthenticationforlocalhost", Flag, Used),
    ("numberofpasswordprompts", Number, Used),
    ("obscurekeystroketiming", Text, Without),
    ("passwordauthentication", Flag, Used),
    ("permitlocalcommand", Flag, Without),
    ("permitremoteopen", Words, Without),
    ("pkcs11provider", Text, Refused(&["none"])),
    ("port", Number, Used),
    ("preferredauthentications", Text, Used),
    ("protocol", Text, Without),
    ("proxycommand", Line, Used),
    ("proxyjump", Line, Used),
    ("proxyusefdpass", Flag, Refused(&["no", "false"])),
    ("pubkeyacceptedalgorithms", Algorithms, Used),
    ("pubkeyacceptedkeytypes", Algorithms, Used),
    ("pubkeyauthentication", Kind::Word(&["yes", "no", "true", "false", "unbound", "host-bound"]), Used),
    ("rekeylimit", Words, Without),
    ("remotecommand", Line, Refused(&["none"])),
    ("remoteforward", Words, Without),
    ("requesttty", Text, Without),
    ("requiredrsasize", Number, Used),
    ("revokedhostkeys", Text, Refused(&["none"])),
    ("rsaminsize", Number, Used),
    ("securitykeyprovider", Text, Without),
    ("sendenv", Words, Added),
    ("serveralivecountmax", Number, Used),
    ("serveraliveinterval", Time, Used),
    ("sessiontype", Text, Refused(&["default"])),
    ("setenv", Words, Added),
    ("stdinnull", Flag, Without),
    ("streamlocalbindmask", Text, Without),
    ("streamlocalbindunlink", Flag, Without),
    ("stricthostkeychecking", STRICT, Used),
    ("syslogfacility", Text, Without),
    ("tag", Text, Used),
    ("tcpkeepalive", Flag, Used),
    ("tunnel", Text, Refused(&["no", "false"])),
    ("tunneldevice", Text, Without),
    ("updatehostkeys", Text, Without),
    ("user", Text, Used),
    ("userknownhostsfile", Words, Used),
    ("verifyhostkeydns", Text, Without),
    ("versionaddendum", Text, Without),
    ("visualhostkey", Flag, Without),
    ("warnweakcrypto", Text, Without),
    ("xauthlocation", Text, Without),
    // Options of earlier versions that today's ssh passes over.
    ("useroaming", Flag, Without),
    ("useprivilegedport", Flag, Without),
    ("cipher", Text, Without),
    ("compressionlevel", Number, Without),
    ("rhostsrsaauthentication", Flag, Without),
    ("rsaauthentication", Flag, Without),
];

/// The newer name of an option that has two.
fn newer(name: &str) -> &str {
    match name {
        "pubkeyacceptedkeytypes" => "pubkeyacceptedalgorithms",
        "challengeresponseauthentication" => "kbdinteractiveauthentication",
        "identityfile2" => "identityfile",
        "rsaminsize" => "requiredrsasize",
        other => other,
    }
}

/// Look an option up by its name in lower case.
pub fn find(name: &str) -> Option<(&'static str, Kind, Fate)> {
    let (name, kind, fate) = KEYWORDS.iter().find(|(known, ..)| *known == name)?;
    Some((newer(name), *kind, *fate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_lower_case_and_unique() {
        for (index, (name, ..)) in KEYWORDS.iter().enumerate() {
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(KEYWORDS[..index].iter().all(|(other, ..)| other != name), "{name} twice");
        }
    }
}
