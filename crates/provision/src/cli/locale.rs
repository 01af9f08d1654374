//! The locale: Ansible's programs do not start where text is not UTF-8, and neither does this one in their place.

use std::ffi::CStr;

use nix::libc;

/// Why the locale will not do.
pub fn problem() -> Option<String> {
    // SAFETY: no other thread runs yet; the strings that come back are read before anything changes the locale again.
    let (known, codeset) = unsafe {
        let known = !libc::setlocale(libc::LC_ALL, c"".as_ptr()).is_null();
        (known, CStr::from_ptr(libc::nl_langinfo(libc::CODESET)).to_string_lossy().into_owned())
    };
    if !known {
        return Some(
            "Ansible could not initialize the preferred locale: unsupported locale setting".to_owned(),
        );
    }
    if codeset.eq_ignore_ascii_case("UTF-8") || codeset.eq_ignore_ascii_case("utf8") {
        return None;
    }
    // Nobody has chosen a locale: then text is UTF-8, as Python has it (PEP 538).
    let chosen = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let ctype = chosen("LC_CTYPE").or_else(|| chosen("LANG"));
    if chosen("LC_ALL").is_none() && ctype.is_none_or(|name| name == "C" || name == "POSIX") {
        return None;
    }
    Some(format!("Ansible requires the locale encoding to be UTF-8; Detected {codeset}."))
}
