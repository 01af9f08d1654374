//! Redirects: whether one is followed, and what the next request is.

use std::collections::HashMap;

use super::{Body, Hop, Options, Response};

/// Ansible's `follow_redirects`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    None,
    /// Of GET and HEAD alone.
    Safe,
    /// As Python does: also POST, which becomes GET.
    Urllib2,
    All,
}

impl Follow {
    pub fn from_word(word: &str) -> Self {
        match word {
            "none" | "no" => Self::None,
            "all" | "yes" => Self::All,
            "urllib2" => Self::Urllib2,
            _ => Self::Safe,
        }
    }
}

pub(super) enum Next {
    /// This is the answer.
    Stay,
    /// It is the answer, because the redirect may not be followed.
    Refused(String),
    Go(Box<Hop>),
}

/// What comes after this response.
pub(super) fn next(
    hop: &Hop,
    response: &Response,
    options: &Options,
    visited: &mut HashMap<String, u32>,
) -> Next {
    let code = response.status;
    if !matches!(code, 301 | 302 | 303 | 307 | 308) {
        return Next::Stay;
    }
    let Some(location) = response.values("location").next() else { return Next::Stay };
    let safe = matches!(hop.method.as_str(), "GET" | "HEAD");
    let follows = match options.follow {
        Follow::None => false,
        Follow::Safe => safe,
        Follow::Urllib2 => safe || (hop.method == "POST" && matches!(code, 301..=303)),
        Follow::All => true,
    };
    if !follows {
        return Next::Stay;
    }
    let Some(url) = hop.url.join(location) else { return Next::Stay };
    if !matches!(url.scheme.as_str(), "http" | "https") {
        let reason = format!("{} - Redirection to url '{location}' is not allowed", response.reason);
        return Next::Refused(reason);
    }
    let count = visited.entry(url.to_string()).or_default();
    *count += 1;
    if *count > 4 || visited.values().sum::<u32>() > 10 {
        let reason = format!(
            "The HTTP server returned a redirect error that would lead to an infinite loop.\n\
             The last 30x error message was:\n{}",
            response.reason
        );
        return Next::Refused(reason);
    }
    let keeps = matches!(code, 307 | 308);
    let method = match (code, hop.method.as_str()) {
        // Python before 3.13 makes every redirected request a GET.
        _ if options.follow == Follow::Urllib2 => "GET",
        (303 | 302, method) if method != "HEAD" => "GET",
        (301, "POST") => "GET",
        (_, method) => method,
    };
    let content = ["content-length", "content-type", "transfer-encoding"];
    let elsewhere = url.authority() != hop.url.authority() || hop.url.is_https() && !url.is_https();
    let stays = |name: &str| {
        let lower = name.to_lowercase();
        let named = options.unredirected.iter().any(|u| u.eq_ignore_ascii_case(name));
        !named
            && lower != "host"
            && (keeps || !content.contains(&lower.as_str()))
            && !(elsewhere && hop.personal && lower == "authorization")
    };
    Next::Go(Box::new(Hop {
        url,
        method: method.to_owned(),
        headers: hop.headers.iter().filter(|(name, _)| stays(name)).cloned().collect(),
        body: if keeps { hop.body.clone() } else { Body::None },
        personal: hop.personal,
    }))
}
