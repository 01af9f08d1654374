//! Template files: the `#jinja2:` line and the options of the template module.

use minijinja::syntax::SyntaxConfig;

use crate::template::quoted;
use crate::template::syntax::Syntax;
use crate::template::templar::TemplateOptions;
use crate::{Error, Result};

const HEADER: &str = "#jinja2:";

/// Read the `#jinja2:` line, if the first line is one; the rest of the text and the line it starts at.
pub(crate) fn read_header<'a>(source: &'a str, options: &mut TemplateOptions) -> Result<(&'a str, u32)> {
    let Some(rest) = source.strip_prefix(HEADER) else { return Ok((source, 1)) };
    let (line, body) = rest.split_once('\n').unwrap_or((rest, ""));
    for pair in split_pairs(line) {
        let Some((key, value)) = pair.split_once(':') else {
            let pair = quoted(&pair);
            return Err(Error::new(format!(
                "Missing key-value separator `:` in '{HEADER}' override pair {pair}."
            )));
        };
        set(options, key.trim(), value.trim())?;
    }
    Ok((body, 2))
}

/// At the commas outside of quotes.
fn split_pairs(line: &str) -> Vec<String> {
    let mut pairs = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            (',', None) => pairs.push(String::new()),
            _ => {
                if Some(c) == quote {
                    quote = None;
                } else if quote.is_none() && (c == '\'' || c == '"') {
                    quote = Some(c);
                }
                if let Some(last) = pairs.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    pairs.retain(|p| !p.trim().is_empty());
    pairs
}

fn set(options: &mut TemplateOptions, key: &str, value: &str) -> Result<()> {
    let text = || -> String {
        let inner = value
            .strip_prefix('\'')
            .and_then(|v| v.strip_suffix('\''))
            .or_else(|| value.strip_prefix('"').and_then(|v| v.strip_suffix('"')));
        inner.map_or_else(|| value.to_string(), crate::template::syntax::tokens::unescape)
    };
    let boolean = || match value.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(Error::new(format!("jinja2 override '{key}' must be a boolean, not '{value}'"))),
    };
    match key {
        "trim_blocks" => options.trim_blocks = boolean()?,
        "lstrip_blocks" => options.lstrip_blocks = boolean()?,
        "keep_trailing_newline" => options.keep_trailing_newline = boolean()?,
        "newline_sequence" => options.newline_sequence = text(),
        "block_start_string" => options.block_start_string = text(),
        "block_end_string" => options.block_end_string = text(),
        "variable_start_string" => options.variable_start_string = text(),
        "variable_end_string" => options.variable_end_string = text(),
        "comment_start_string" => options.comment_start_string = text(),
        "comment_end_string" => options.comment_end_string = text(),
        "line_statement_prefix" => options.line_statement_prefix = Some(text()),
        "line_comment_prefix" => options.line_comment_prefix = Some(text()),
        _ => return Err(Error::new(format!("Invalid '{HEADER}' override key {}.", quoted(key)))),
    }
    Ok(())
}

pub(crate) fn syntax_of(options: &TemplateOptions) -> Result<Syntax> {
    let mut builder = SyntaxConfig::builder();
    builder
        .block_delimiters(options.block_start_string.clone(), options.block_end_string.clone())
        .variable_delimiters(options.variable_start_string.clone(), options.variable_end_string.clone())
        .comment_delimiters(options.comment_start_string.clone(), options.comment_end_string.clone())
        .trim_blocks(options.trim_blocks)
        .lstrip_blocks(options.lstrip_blocks)
        .keep_trailing_newline(options.keep_trailing_newline);
    if let Some(prefix) = &options.line_statement_prefix {
        builder.line_statement_prefix(prefix.clone());
    }
    if let Some(prefix) = &options.line_comment_prefix {
        builder.line_comment_prefix(prefix.clone());
    }
    let config = builder.build().map_err(|e| Error::new(format!("bad template delimiters: {e}")))?;
    Ok(Syntax { config, escapes: true, expression: false })
}
