//! `TASK [name] ****...`: lines filled up to the terminal's width.

use unicode_width::UnicodeWidthStr;

/// How wide banners are.
#[derive(Clone, Copy, Debug)]
pub struct Columns(pub usize);

impl Columns {
    /// The terminal's width less one, at least 79; 79 without a terminal.
    pub fn of_terminal(width: Option<u16>) -> Self {
        Self(width.map_or(79, |w| usize::from(w).saturating_sub(1).max(79)))
    }

    /// A banner, with the empty line in front of it.
    pub fn banner(self, text: &str) -> String {
        let text = text.trim();
        let stars = self.0.saturating_sub(text.width()).max(3);
        format!("\n{text} {}", "*".repeat(stars))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Recorded from ansible-core 2.19.14.
    #[test]
    fn banners_are_as_wide_as_ansibles() {
        let recap = Columns::of_terminal(None).banner("PLAY RECAP");
        assert_eq!(recap, format!("\nPLAY RECAP {}", "*".repeat(69)));
        let play = Columns::of_terminal(Some(60)).banner("PLAY [localhost]");
        assert_eq!(play, format!("\nPLAY [localhost] {}", "*".repeat(63)));
    }
}
