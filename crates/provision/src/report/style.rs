//! Colours of the terminal, as Ansible uses them.

/// What a text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Ok,
    Changed,
    Skip,
    Error,
    Unreachable,
    Warn,
    Deprecate,
    Verbose,
    Debug,
    DiffAdd,
    DiffRemove,
    DiffLines,
    Included,
    None,
}

impl Colour {
    fn code(self) -> &'static str {
        match self {
            Self::Ok | Self::DiffAdd => "0;32",
            Self::Changed => "0;33",
            Self::Skip | Self::DiffLines | Self::Included => "0;36",
            Self::Error | Self::DiffRemove => "0;31",
            Self::Unreachable => "1;31",
            Self::Warn => "1;35",
            Self::Deprecate => "0;35",
            Self::Verbose => "0;34",
            Self::Debug => "1;30",
            Self::None => "",
        }
    }
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    pub colours: bool,
}

impl Style {
    /// Each line in the colour.
    pub fn paint(self, text: &str, colour: Colour) -> String {
        if !self.colours || colour == Colour::None || text.is_empty() {
            return text.to_owned();
        }
        let code = colour.code();
        text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect::<Vec<_>>().join("\n")
    }
}
